# frozen_string_literal: true

# What a handler returns, as frames (PROTOCOL.md, chapter 4).

require 'json'

module KubelessWorker
  module Results
    WHOLE = 256 * 1024 # bytes: more than that goes in pieces (PROTOCOL 5.2)
    PIECE = 64 * 1024 # bytes
    NESTING = 1000 # levels; json's own limit of 100 would be ours to explain

    TEXT = "Content-Type: text/plain; charset=utf-8\r\n"
    HTML = "Content-Type: text/html; charset=utf-8\r\n"
    JSON_TYPE = "Content-Type: application/json\r\n"
    BYTES = "Content-Type: application/octet-stream\r\n"
    NONE = ''
    # Callers have had HTML by its look: Kubeless's proxy in front of Ruby went by it (Go's http.DetectContentType).
    MARKUP = /\A\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[\s>]/i.freeze
    LOOK = 512 # bytes, as in Go
    HEADER_NAME = /\A[!#$%&'*+\-.^_`|~0-9A-Za-z]+\z/.freeze
    STATUS = (200..999).freeze
    PAIR_STATUS = (200..599).freeze

    # An answer that goes in pieces; `head` may be a Proc, where the first piece decides it.
    Stream = Struct.new(:pieces, :head, :status)

    module_function

    # -> the frame of a plain result, or a Stream
    def answer(call, value)
      if value.is_a?(String)
        head, body = text(value)
      elsif value.is_a?(Hash)
        head = JSON_TYPE
        body = json(value)
      elsif value.is_a?(Array) && (parts = rack_parts(value))
        return respond(call, *parts)
      elsif value.is_a?(Integer)
        return respond(call, status_of(value), {}, nil)
      elsif defined?(::Rack::Response) && value.is_a?(::Rack::Response)
        return respond(call, *value.finish)
      else
        head, body = content(value)
      end
      return Stream.new(body, head, 200) unless body.is_a?(String)
      return whole(head, body, 200) if body.bytesize > WHOLE

      result(call, nil, head, body)
    end

    def result(call, status, head, body)
      status = %("status":#{status},) if status
      # Bytes and UTF-8 do not join where both are more than ASCII.
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

    # One item of a stream, in bytes.
    def piece(item)
      return text(item)[1] if item.is_a?(String)

      raise ResultInvalid, "the handler streamed #{a(item)}: what it streams must be Strings"
    end

    # ---- values

    # -> head and body of a value without status or headers of its own; the body may be something to stream.
    def content(value)
      case value
      when String then text(value)
      when Symbol then text(value.to_s)
      when nil then [NONE, '']
      when Hash, Array, Float, true, false then [JSON_TYPE, json(value)]
      else
        return [BYTES, Reading.new(value)] if value.respond_to?(:read)
        return [->(first) { text(first)[0] }, value] if value.respond_to?(:each) && !value.is_a?(Struct)

        raise ResultInvalid, "the handler returned #{a(value)}, which cannot be sent: return a String, a Hash, an Array, nil, " \
          'an HTTP status, [status, headers, body] as in Rack, an open file, or an Enumerator of Strings'
      end
    end

    # Bytes are what says so, and what cannot be text.
    def text(string)
      encoding = string.encoding
      if encoding != Encoding::UTF_8
        return [BYTES, string] if encoding == Encoding::BINARY

        string = in_utf8(string)
      end
      return [BYTES, string] unless string.valid_encoding?

      # Ruby looks through all of a text for what it is to begin with.
      beginning = string.bytesize > LOOK ? string.byteslice(0, LOOK).b : string
      [MARKUP.match?(beginning) ? HTML : TEXT, string]
    end

    def in_utf8(string)
      string.encode(Encoding::UTF_8)
    rescue EncodingError
      string.b
    end

    def json(value)
      JSON.generate(value, max_nesting: NESTING)
    rescue JSON::JSONError, EncodingError, SystemStackError => error
      raise ResultInvalid, "the handler returned #{a(value)} that has no JSON form: #{Errors.utf8(error.message)[0, 200]}"
    end

    def status_of(number)
      return number if STATUS.cover?(number)

      raise ResultInvalid, "the handler returned #{number}, and an Integer is an HTTP status, 200 to 999: " \
        'for the number itself return it as text (to_s) or within a Hash'
    end

    # `an Object`, `a Set`
    def a(value)
      name = (value.class.name || 'object of an unnamed class').sub(Errors::FUNCTION, '')
      (name =~ /\A[aeiou]/i ? 'an ' : 'a ') + name
    end

    # ---- Rack

    # [status, headers, body], and Sinatra's [status, body]; -> nil where the Array is only an Array
    def rack_parts(value)
      status, headers, body = value
      case value.size
      when 3
        return unless status.is_a?(Integer) && status.between?(100, 999) && headers.respond_to?(:to_hash)
        return unless body.nil? || body.is_a?(String) || body.respond_to?(:each) || body.respond_to?(:call)

        [status_of(status), headers.to_hash, body]
      when 2
        [status, {}, headers] if status.is_a?(Integer) && PAIR_STATUS.cover?(status) && headers.is_a?(String)
      end
    end

    def respond(call, status, headers, body)
      own = head_of(headers)
      typed = own.match?(/^content-type:/i)
      if body.is_a?(Array) && body.all? { |item| item.is_a?(String) }
        body = body.map(&:b).join.force_encoding(body.all? { |item| item.encoding != Encoding::BINARY } ? Encoding::UTF_8 : Encoding::BINARY)
      end
      if !body.respond_to?(:each) && body.respond_to?(:call) # a streaming body of Rack 3
        kind, data = [TEXT, Calling.new(body)]
      else
        kind, data = content(body)
      end
      return Stream.new(data, typed ? own : with_kind(kind, own), status) unless data.is_a?(String)

      own = own.gsub(/^content-length:.*\r\n/i, '') # what is at hand is counted
      head = typed ? own : kind + own
      return whole(head, data, status) if data.bytesize > WHOLE

      result(call, status, head, data)
    end

    def with_kind(kind, own)
      kind.is_a?(Proc) ? ->(first) { kind.call(first) + own } : kind + own
    end

    def whole(head, body, status)
      Stream.new([body], head + "Content-Length: #{body.bytesize}\r\n", status)
    end

    def head_of(headers)
      head = +''
      headers.each_pair do |name, values|
        name = name.to_s
        next if values.nil? || name.start_with?('rack.') # a word to a Rack server, not to the caller

        # Rack 3 has an Array where a header comes more than once; Rack 2 joined cookies by line breaks.
        values = values.to_s.split("\n") if name.casecmp('set-cookie') == 0 && !values.is_a?(Array)
        Array(values).each { |value| head << header(name, value.to_s) }
      end
      head
    end

    def header(name, value)
      if !HEADER_NAME.match?(name) || value.b.match?(/[\r\n\0]/n)
        raise ResultInvalid, "the handler returned a header that cannot be sent: #{"#{name}: #{value}".inspect[0, 100]}"
      end
      # ISO-8859-1 where it can be (PROTOCOL 2.5); what cannot goes as the bytes it is.
      value = value.encode(Encoding::ISO_8859_1) rescue value unless value.ascii_only?
      value.ascii_only? ? "#{name}: #{value}\r\n" : ("#{name}: ".b << value.b << "\r\n")
    end

    # An open file, read as it comes: readpartial does not wait until a pipe has filled the piece.
    class Reading
      def initialize(file)
        @file = file
      end

      def each
        while (data = @file.respond_to?(:readpartial) ? @file.readpartial(PIECE) : @file.read(PIECE))
          yield data.b
        end
      rescue EOFError
        nil
      end

      def close
        @file.close if @file.respond_to?(:close)
      end
    end

    # A body that writes by itself, to what it is called with.
    class Calling
      def initialize(body)
        @body = body
      end

      def each(&block)
        @body.call(Sink.new(block))
      end
    end

    class Sink
      def initialize(block)
        @block = block
      end

      def write(*items)
        items.sum do |item|
          @block.call(item.to_s)
          item.to_s.bytesize
        end
      end

      def <<(item)
        write(item)
        self
      end

      def flush
        self
      end

      def close(*) end
      alias close_write close
      alias close_read close

      def closed?
        false
      end
    end
  end
end
