# frozen_string_literal: true

# Children that a function makes by fork: they must neither hold the wire nor come back to it (PROTOCOL 1.2).

module KubelessWorker
  module Forks
    # Since Ruby 3.1 all ways to fork but Process.daemon come through here.
    module Hook
      def _fork
        pid = super
        Forks.forget if pid == 0
        pid
      end
    end

    # Before that: fork, Kernel.fork and Process.fork.
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
      # Not for anybody to call on another object, as Kernel's own is not.
      Object.prepend(Wrapper.dup.tap { |wrapper| wrapper.send(:private, :fork) })
    end

    def forget
      @wire.leave_to_parent
      Output.partial.clear
    end

    # A child that has come out of the handler ends here, as a program would that has come to its end.
    def end_child(error = nil)
      return exit!(error.status) if error.is_a?(SystemExit)

      $stderr.write(Errors.stack_of(error)) if error
      exit!(error ? 1 : 0)
    end
  end
end
