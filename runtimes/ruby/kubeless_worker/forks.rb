# frozen_string_literal: true

# Children that a function forks: they must neither hold the wire nor answer its calls (PROTOCOL
# 1.2).

module KubelessWorker
  module Forks
    # Ruby 3.1 and later: called for every fork but Process.daemon.
    module Hook
      def _fork
        pid = super
        Forks.forget if pid == 0
        pid
      end
    end

    # Ruby before 3.1: for fork, Kernel.fork and Process.fork.
    module Wrapper
      def fork
        if block_given?
          super() do
            Forks.forget
            yield
          end
        else
          pid = super()
          Forks.forget if pid.nil?
          pid
        end
      end
    end

    module Daemon
      def daemon(*)
        made = super
        Forks.forget
        made
      end
    end

    module_function

    def guard(wire)
      @wire = wire
      Process.singleton_class.prepend(Daemon)
      return Process.singleton_class.prepend(Hook) if Process.respond_to?(:_fork)

      [Process.singleton_class, Kernel.singleton_class].each { |owner| owner.prepend(Wrapper) }
      # Private, as Kernel#fork is.
      Object.prepend(Wrapper.dup.tap { |wrapper| wrapper.send(:private, :fork) })
    end

    def forget
      @wire.leave_to_parent
      Output.partial.clear
    end

    # Ends a child whose code has returned from the handler, with the exit code of a program that
    # ends so.
    def end_child(error = nil)
      return exit!(error.status) if error.is_a?(SystemExit)

      $stderr.write(Errors.stack_of(error)) if error
      exit!(error ? 1 : 0)
    end
  end
end
