# frozen_string_literal: true

# The Ruby worker: holds one function and calls it, as PROTOCOL.md says. Runs on Ruby 2.5 and later.

require_relative 'kubeless_worker/gems'

module KubelessWorker
  @code = 1

  class << self
    def main
      prepare
      # 1 · take the wire, 2 · send
      wire = Wire.take
      at_exit { leave(wire) } # the last to run, as the first to register
      Forks.guard(wire)
      Output.redirect(wire)
      trap('INT') {} # Ctrl-C reaches the whole group; when to stop is the loader's to say

      # 3 · encode: results.rb. 4 · load the handler
      begin
        handler, name = Handler.load(ENV['KUBELESS_HANDLER_FILE'].to_s, ENV['FUNC_HANDLER'])
      rescue LoadFailure => failure
        return wire.post(Errors.line(failure.fields))
      end
      context = {
        'function-name': name,
        timeout: ENV['FUNC_TIMEOUT'] || '180',
        runtime: ENV['FUNC_RUNTIME'],
        'memory-limit': ENV['FUNC_MEMORY_LIMIT']
      }

      # 5 · ready, 6 · the loop
      concurrency = number('FUNC_CONCURRENCY') || 40
      threads = Threads.new(wire, handler, context, concurrency)
      wire.post(Errors.line(type: 'ready', wire: 1, handler: name, concurrency: concurrency))
      threads.serve
      @code = 0
    end

    private

    # The function's gems first: one of them may be a newer json, and the worker's must be the same.
    def prepare
      Gems.offer(File.dirname(ENV['KUBELESS_HANDLER_FILE'].to_s))
      # Text is UTF-8 also where the container says nothing about it.
      Encoding.default_external = Encoding::UTF_8 if Encoding.default_external == Encoding::US_ASCII
      %w[errors wire output forks results request calls threads handler].each { |part| require_relative "kubeless_worker/#{part}" }
    end

    def number(name)
      text = ENV[name].to_s.strip
      text.to_i if text.match?(/\A[1-9]\d*\z/)
    end

    # Not by Ruby's own last steps: those wait for threads that stand inside a handler.
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

KubelessWorker.main
