# frozen_string_literal: true

# The Ruby worker: loads one function and runs its calls (runtimes/PROTOCOL.md). Runs on Ruby 2.5
# and later.
#
# runtimes/ANATOMY.md lists the parts, which are the files of kubeless_worker.

require_relative 'kubeless_worker/gems'

module KubelessWorker
  PARTS = %w[errors wire output forks ending result response request event calls runner monitor runners handler].freeze

  class << self
    def main
      prepare
      wire = Wire.take
      Ending.register(wire)
      Forks.guard(wire)
      Output.redirect(wire)
      trap('INT') {} # Ctrl-C reaches the whole process group; the loader sends `stop`

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

      concurrency = number('FUNC_CONCURRENCY') || 40
      runners = Runners.new(wire, handler, context, concurrency)
      wire.post(Errors.line(type: 'ready', wire: 1, handler: name, concurrency: concurrency, envelopes: true))
      runners.serve
      Ending.finish
    end

    private

    # Adds the function's gems before the worker loads json: the function may have a newer one.
    def prepare
      Gems.add(File.dirname(ENV['KUBELESS_HANDLER_FILE'].to_s))
      # Text is UTF-8 also if the container sets no locale.
      Encoding.default_external = Encoding::UTF_8 if Encoding.default_external == Encoding::US_ASCII
      PARTS.each { |part| require_relative "kubeless_worker/#{part}" }
    end

    def number(name)
      text = ENV[name].to_s.strip
      text.to_i if text.match?(/\A[1-9]\d*\z/)
    end
  end
end

KubelessWorker.main
