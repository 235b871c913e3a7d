# frozen_string_literal: true

# Turns a Rack response into frames: [status, headers, body], and Sinatra's [status, body].

module KubelessWorker
  module Response
    HEADER_NAME = /\A[!#$%&'*+\-.^_`|~0-9A-Za-z]+\z/.freeze
    MAX_HEAD_BYTES = (1 << 20) - 128 # PROTOCOL 2.3; the rest is for Content-Type and Content-Length
    PAIR_STATUS = (200..599).freeze # a pair with another number is an Array

    module_function

    # Returns status, headers and body, or nil if the Array is not a response.
    def parts(value)
      status, headers, body = value
      case value.size
      when 3
        return unless status.is_a?(Integer) && status.between?(100, 999) && headers.respond_to?(:to_hash)
        return unless body.nil? || body.is_a?(String) || body.respond_to?(:each) || body.respond_to?(:call)

        [Result.status_of(status), headers.to_hash, body]
      when 2
        [status, {}, headers] if status.is_a?(Integer) && PAIR_STATUS.cover?(status) && headers.is_a?(String)
      end
    end

    # Returns the frame that ends the call, or a Stream.
    def of(call, status, headers, body)
      own = head_of(headers)
      typed = own.match?(/^content-type:/i)
      body = joined(body) if body.is_a?(Array) && body.all? { |item| item.is_a?(String) }
      if !body.respond_to?(:each) && body.respond_to?(:call)
        kind, data = [Result::TEXT, CalledBody.new(body)]
      else
        kind, data = Result.content(body)
      end
      return Stream.new(data, typed ? own : with_kind(kind, own), status) unless data.is_a?(String)

      own = own.gsub(/^content-length:.*\r\n/i, '') # the loader counts
      head = typed ? own : kind + own
      return Result.large(head, data, status) if data.bytesize > Result::MAX_RESULT_BYTES

      Result.frame(call, status, head, data)
    end

    def joined(items)
      text = items.all? { |item| item.encoding != Encoding::BINARY }
      items.map(&:b).join.force_encoding(text ? Encoding::UTF_8 : Encoding::BINARY)
    end

    def with_kind(kind, own)
      kind.is_a?(Proc) ? ->(first) { kind.call(first) + own } : kind + own
    end

    def head_of(headers)
      head = +''
      headers.each_pair do |name, values|
        name = name.to_s
        next if values.nil? || name.start_with?('rack.') # meant for a Rack server

        # A repeated header is an Array in Rack 3. Rack 2 joined cookies with line breaks.
        values = values.to_s.split("\n") if name.casecmp('set-cookie') == 0 && !values.is_a?(Array)
        Array(values).each { |value| head << header(name, value.to_s) }
      end
      return head if head.bytesize <= MAX_HEAD_BYTES

      raise ResultInvalid, "the handler returned #{head.bytesize} bytes of headers: the limit is #{MAX_HEAD_BYTES}"
    end

    def header(name, value)
      if !HEADER_NAME.match?(name) || value.b.match?(/[\r\n\0]/n)
        raise ResultInvalid, "the handler returned a header that cannot be sent: #{"#{name}: #{value}".inspect[0, 100]}"
      end
      return "#{name}: #{value}\r\n" if value.ascii_only?

      "#{name}: ".b << latin1(value).b << "\r\n"
    end

    # Returns the value in ISO-8859-1 (PROTOCOL 2.5) if it has that form, else unchanged.
    def latin1(value)
      value.encode(Encoding::ISO_8859_1)
    rescue EncodingError
      value
    end
  end

  # A streaming body of Rack 3, which is called with an object to write to.
  class CalledBody
    def initialize(body)
      @body = body
    end

    def each(&block)
      @body.call(Sink.new(block))
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
