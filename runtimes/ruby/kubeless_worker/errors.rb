# frozen_string_literal: true

# What went wrong, as `error` and `failed` frames carry it: bounded, and with our own frames cut off.

require 'json'

module KubelessWorker
  # A call that ends in an error of ours, not of the function's: the code says which, a sentence says why.
  class CallError < StandardError
    def code
      self.class::CODE
    end
  end

  class Cancelled < CallError
    CODE = 'CANCELLED'
  end

  class BodyMalformed < CallError
    CODE = 'BODY_MALFORMED'
  end

  class ResultInvalid < CallError
    CODE = 'RESULT_INVALID'
  end

  module Errors
    MESSAGE_MAX = 4096 # characters
    STACK_MAX = 16 * 1024 # characters
    LINES_MAX = 200 # lines of a backtrace from each end: what is too deep has ten thousand
    OURS = ["#{__dir__}/", "#{File.dirname(__dir__)}/worker.rb"].freeze
    FUNCTION = /\AKubelessFunction::/.freeze # where handler.rb puts the file's own classes

    module_function

    def frame(call, error)
      fields = { type: 'error', id: call, message: message_of(error) }
      if error.is_a?(CallError)
        fields[:code] = error.code
      else
        fields[:stack] = stack_of(error)
      end
      line(fields)
    end

    def line(fields)
      (JSON.generate(fields) << "\n").force_encoding(Encoding::BINARY)
    end

    # `ArgumentError: no such user`
    def message_of(error)
      text = utf8(text_of(error))
      unless error.is_a?(CallError)
        name = name_of(error)
        text = text.empty? || text == name ? name : "#{name}: #{text}"
      end
      middle_out(text, MESSAGE_MAX)
    end

    def stack_of(error)
      seen = []
      while error && !seen.include?(error)
        seen << error
        error = error.cause
      end
      middle_out(utf8(seen.map { |each| trace_of(each) }.join), STACK_MAX)
    end

    # The first line that is the function's own, as `hello.rb, line 3`.
    def place_of(error, folder)
      found = (error.backtrace || []).find { |entry| File.dirname(entry[/\A[^:]*/]) == folder }
      found && "#{File.basename(found[/\A[^:]*/])}, line #{found[/:(\d+)/, 1]}"
    end

    def utf8(text)
      text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end

    # The start tells where it came from, the end what it was; what is too much goes from between.
    def middle_out(text, limit)
      return text if text.size <= limit

      "#{text[0, limit / 4]}\n  … #{text.size - limit} characters …\n#{text[-(limit - limit / 4)..-1]}"
    end

    def text_of(error)
      error.message.to_s
    rescue Exception => second # a function's own message may do anything
      "(its text cannot be had: message raised #{second.class})"
    end

    def name_of(error)
      (error.class.name || 'an unnamed class of errors').sub(FUNCTION, '')
    end

    def trace_of(error)
      entries = (error.backtrace || []).reject { |entry| entry.start_with?(*OURS) }
      if entries.size > 2 * LINES_MAX
        between = "… #{entries.size - 2 * LINES_MAX} lines …"
        entries = entries.first(LINES_MAX) + [between] + entries.last(LINES_MAX)
      end
      first = "#{entries.shift || 'here'}: #{text_of(error)} (#{name_of(error)})\n"
      first + entries.map { |entry| "\tfrom #{entry}\n" }.join
    end
    private_class_method :text_of, :name_of, :trace_of
  end
end
