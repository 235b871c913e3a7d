# frozen_string_literal: true

# The errors of a call and of a start, and the text that an exception gets in a frame.

require 'json'

module KubelessWorker
  # Becomes an `error` frame with this code (PROTOCOL 4.6) and without a stack.
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

  # Becomes a `failed` frame (PROTOCOL 3.2). LoadError is Ruby's own: a `require` raises it.
  class LoadFailure < StandardError
    attr_reader :fields

    def initialize(code, message, **more)
      super(message)
      @fields = { type: 'failed', code: code, message: message, **more }
    end
  end

  module Errors
    MAX_MESSAGE_CHARACTERS = 4096
    MAX_STACK_CHARACTERS = 16 * 1024
    MAX_TRACE_LINES = 200 # from each end of a backtrace; endless recursion has 10,000 lines
    OWN_FILES = ["#{__dir__}/", "#{File.dirname(__dir__)}/worker.rb"].freeze
    NAMESPACE = /\AKubelessFunction::/.freeze # where handler.rb evaluates the function's file

    module_function

    # Returns the `error` frame that ends the call.
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

    # Returns the class and the text of an exception, such as `ArgumentError: no such user`.
    def message_of(error)
      text = utf8(text_of(error))
      unless error.is_a?(CallError)
        name = name_of(error)
        text = text.empty? || text == name ? name : "#{name}: #{text}"
      end
      shorten(text, MAX_MESSAGE_CHARACTERS)
    end

    # Returns the backtrace with those of all causes, without the worker's own lines.
    def stack_of(error)
      errors = []
      while error && !errors.include?(error)
        errors << error
        error = error.cause
      end
      shorten(utf8(errors.map { |each| trace_of(each) }.join), MAX_STACK_CHARACTERS)
    end

    # Returns the first line of the backtrace in this folder, such as `hello.rb, line 3`, or nil.
    def place_of(error, folder)
      found = (error.backtrace || []).find { |entry| File.dirname(entry[/\A[^:]*/]) == folder }
      found && "#{File.basename(found[/\A[^:]*/])}, line #{found[/:(\d+)/, 1]}"
    end

    def utf8(text)
      text = text.dup.force_encoding(Encoding::UTF_8) if text.encoding == Encoding::BINARY
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace).scrub
    end

    # Cuts from the middle: the start of a stack shows the error, its end shows the call.
    def shorten(text, limit)
      return text if text.size <= limit

      "#{text[0, limit / 4]}\n  … #{text.size - limit} characters …\n#{text[-(limit - limit / 4)..-1]}"
    end

    def text_of(error)
      error.message.to_s
    rescue Exception => second # `message` is the function's code and may raise anything
      "(no text: message raised #{second.class})"
    end

    def name_of(error)
      (error.class.name || 'an unnamed class of errors').sub(NAMESPACE, '')
    end

    def trace_of(error)
      entries = (error.backtrace || []).reject { |entry| entry.start_with?(*OWN_FILES) }
      if entries.size > 2 * MAX_TRACE_LINES
        between = "… #{entries.size - 2 * MAX_TRACE_LINES} lines …"
        entries = entries.first(MAX_TRACE_LINES) + [between] + entries.last(MAX_TRACE_LINES)
      end
      first = "#{entries.shift || 'here'}: #{text_of(error)} (#{name_of(error)})\n"
      first + entries.map { |entry| "\tfrom #{entry}\n" }.join
    end
    private_class_method :text_of, :name_of, :trace_of
  end
end
