# frozen_string_literal: true

# Ends the worker after `stop`: the function's SIGTERM handler, then its at_exit blocks, then the
# process.

module KubelessWorker
  module Ending
    @code = 1

    module_function

    # Must be called before the function is loaded: at_exit blocks run in reverse order, and this
    # one is the last.
    def register(wire)
      at_exit { leave(wire) }
    end

    # Runs the function's SIGTERM handler, if it has installed one, and waits for threads that the
    # handler starts. Runs on the main thread.
    def finish
      @code = 0
      handler = trap('TERM', 'DEFAULT')
      return unless handler.respond_to?(:call)

      trap('TERM', handler)
      before = Thread.list
      begin
        handler.call(Signal.list['TERM'])
      rescue SystemExit # the usual last line of such a handler
        nil
      rescue Exception => error
        $stderr.write(Errors.stack_of(error))
      end
      (Thread.list - before).each { |thread| thread.join rescue nil }
    end

    # Flushes and exits. Uses exit!: Ruby would wait for threads that are inside a handler.
    def leave(wire)
      return if wire.gone

      unless $!.nil? || $!.is_a?(SystemExit) || $!.is_a?(SignalException)
        $stderr.write(Errors.stack_of($!))
      end
      [$stdout, $stderr].each(&:flush)
      wire.flush
      exit!(@code)
    end
  end
end
