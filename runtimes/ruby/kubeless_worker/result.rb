# frozen_string_literal: true

# Turns what a handler returned into frames (PROTOCOL.md, chapter 4).

require 'json'

module KubelessWorker
  # An answer that is sent in chunks. `head` is a Proc if the first piece decides the content type.
  Stream = Struct.new(:pieces, :head, :status)

  module Result
    MAX_RESULT_BYTES = 256 * 1024 # a larger body is sent in chunks (PROTOCOL 5.2)
    MAX_CHUNK_BYTES = 64 * 1024
    MAX_NESTING = 1000 # levels of JSON; the library's own limit is 100

    TEXT = "Content-Type: text/plain; charset=utf-8\r\n"
    HTML = "Content-Type: text/html; charset=utf-8\r\n"
    JSON_TYPE = "Content-Type: application/json\r\n"
    BYTES = "Content-Type: application/octet-stream\r\n"
    NO_HEAD = ''
    # Kubeless's proxy in front of Ruby found HTML by its first bytes (Go's http.DetectContentType).
    MARKUP = /\A\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[\s>]/i.freeze
    MARKUP_BYTES = 512 # as in Go
    STATUS = (200..999).freeze

    module_function

    # Returns the frame that ends the call, or a Stream. Raises ResultInvalid if the value cannot be
    # sent.
    def of(call, value)
      if value.is_a?(String)
        head, body = text(value)
      elsif value.is_a?(Hash)
        head = JSON_TYPE
        body = json(value)
      elsif value.is_a?(Array) && (parts = Response.parts(value))
        return Response.of(call, *parts)
      elsif value.is_a?(Integer)
        return Response.of(call, status_of(value), {}, nil)
      elsif defined?(::Rack::Response) && value.is_a?(::Rack::Response)
        return Response.of(call, *value.finish)
      else
        head, body = content(value)
      end
      return Stream.new(body, head, 200) unless body.is_a?(String)
      return large(head, body, 200) if body.bytesize > MAX_RESULT_BYTES

      frame(call, nil, head, body)
    end

    def frame(call, status, head, body)
      status = %("status":#{status},) if status
      # Ruby cannot join bytes and UTF-8 if both hold more than ASCII.
      head, body = [head.b, body.b] unless head.ascii_only?
      frame = +%({"type":"result","id":#{call},#{status}"head":#{head.bytesize},"body":#{body.bytesize}}\n#{head}#{body})
      frame.force_encoding(Encoding::BINARY)
    end

    def opening(call, stream, first)
      head = stream.head
      head = head.call(first) if head.is_a?(Proc)
      %({"type":"head","id":#{call},"status":#{stream.status},"head":#{head.bytesize}}\n).b << head.b
    end

    def chunk(call, data)
      %({"type":"chunk","id":#{call},"body":#{data.bytesize}}\n).b << data.b
    end

    def finish(call)
      %({"type":"end","id":#{call}}\n).b
    end

    def large(head, body, status)
      Stream.new([body], head + "Content-Length: #{body.bytesize}\r\n", status)
    end

    # Returns one item of a stream as bytes.
    def piece(item)
      return text(item)[1] if item.is_a?(String)

      raise ResultInvalid, "the handler streamed #{a(item)}: a stream may give Strings only"
    end

    # Returns the head and the body of a value without status and headers. The body is a String or
    # has `each`.
    def content(value)
      case value
      when String then text(value)
      when Symbol then text(value.to_s)
      when nil then [NO_HEAD, '']
      when Hash, Array, Float, true, false then [JSON_TYPE, json(value)]
      else
        return [BYTES, FilePieces.new(value)] if value.respond_to?(:read)
        return [->(first) { text(first)[0] }, value] if value.respond_to?(:each) && !value.is_a?(Struct)

        raise ResultInvalid, "the handler returned #{a(value)}, which cannot be sent: return a String, a Hash, an Array, nil, " \
          'an HTTP status, [status, headers, body] as in Rack, an open file, or an Enumerator of Strings'
      end
    end

    # Returns the head and the body of a text. Text that cannot be UTF-8 is sent as bytes.
    def text(string)
      encoding = string.encoding
      if encoding != Encoding::UTF_8
        return [BYTES, string] if encoding == Encoding::BINARY

        string = in_utf8(string)
      end
      return [BYTES, string] unless string.valid_encoding?

      # Ruby would scan all of a text to match its beginning.
      beginning = string.bytesize > MARKUP_BYTES ? string.byteslice(0, MARKUP_BYTES).b : string
      [MARKUP.match?(beginning) ? HTML : TEXT, string]
    end

    def in_utf8(string)
      string.encode(Encoding::UTF_8)
    rescue EncodingError
      string.b
    end

    def json(value)
      JSON.generate(value, max_nesting: MAX_NESTING)
    rescue JSON::JSONError, EncodingError, SystemStackError => error
      raise ResultInvalid, "the handler returned #{a(value)} that has no JSON form: #{Errors.utf8(error.message)[0, 200]}"
    end

    def status_of(number)
      return number if STATUS.cover?(number)

      raise ResultInvalid, "the handler returned #{number}, and an Integer is an HTTP status, 200 to 999: " \
        'to send the number itself, return it as text (to_s) or in a Hash'
    end

    # Returns the class with its article, such as `an Object`.
    def a(value)
      name = (value.class.name || 'object of an unnamed class').sub(Errors::NAMESPACE, '')
      (name.match?(/\A[aeiou]/i) ? 'an ' : 'a ') + name
    end
  end

  # An open file. readpartial returns what a pipe holds; read would wait until a whole chunk is
  # there.
  class FilePieces
    def initialize(file)
      @file = file
    end

    def each
      while (data = @file.respond_to?(:readpartial) ? @file.readpartial(Result::MAX_CHUNK_BYTES) : @file.read(Result::MAX_CHUNK_BYTES))
        yield data.b
      end
    rescue EOFError
      nil
    end

    def close
      @file.close if @file.respond_to?(:close)
    end
  end
end
