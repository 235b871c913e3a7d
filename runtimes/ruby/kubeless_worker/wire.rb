# frozen_string_literal: true

# Reads and writes the frames of the wire (PROTOCOL.md, chapters 1 and 2).

require 'fcntl'
require 'json'
require 'socket'

module KubelessWorker
  # A `call` frame.
  class Call
    attr_reader :id, :head, :body, :data, :json, :plain

    # `plain`: the line has neither event-* nor extensions; its fields are parsed when they are
    # read.
    def initialize(id, head, body, json, line)
      @id = id
      @head = head
      @body = @data = body
      @json = json
      @plain = line.is_a?(MatchData)
      @line = line
      open_envelope if !@plain && line['envelope']
    end

    # The event's data is before the request's body (PROTOCOL 4.11).
    def open_envelope
      size = @line['data'] || 0
      @data = @body.byteslice(0, size)
      @body = @body.byteslice(size, @line['envelope'])
    end

    def fields
      @line = JSON.parse(@line[0]) if @line.is_a?(MatchData)
      @line
    end
  end

  class Wire
    READ_BYTES = 1 << 16 # about a hundred calls, and below the size for which malloc calls mmap
    LARGE_READ_BYTES = 1 << 20
    MAX_LINE_BYTES = 1 << 20 # PROTOCOL 2.3, also of a head
    MAX_BODY_BYTES = 1 << 30 # PROTOCOL 2.3
    F_DUPFD_CLOEXEC = Fcntl.const_defined?(:F_DUPFD_CLOEXEC) ? Fcntl::F_DUPFD_CLOEXEC : 1030
    # The line of most calls, in the loader's order of fields: the match takes a fifth of
    # JSON.parse.
    PLAIN = /\G\{"type":"call","id":(0|[1-9]\d*),"method":"[A-Z]+","path":"[ !#-\[\]-~]*"(?:,"query":"[ !#-\[\]-~]*")?(?:,"address":"[\h.:]*")?,"deadline":(?:0|[1-9]\d*)(,"json":true)?(?:,"head":(0|[1-9]\d*))?(?:,"body":(0|[1-9]\d*))?\}\n/n.freeze
    # Neither Timeout nor Thread#kill may interrupt a write: half a frame would break the wire.
    UNINTERRUPTED = { Object => :never }.freeze

    Large = Struct.new(:line, :head, :body, :total)

    attr_reader :gone, :out
    attr_writer :on_print # called with each `log` frame; may send it later

    # Returns the wire, moved to a high descriptor: a handler may close or write to descriptor 3.
    def self.take(number = 3)
      given = IO.for_fd(number, 'r+', autoclose: false)
      raise Errno::ENOTSOCK unless given.stat.socket?

      wire = new(given.fcntl(F_DUPFD_CLOEXEC, 64))
      given.reopen(File::NULL, 'r+')
      STDIN.reopen(File::NULL) # PROTOCOL 1.4
      wire
    rescue Errno::EBADF, Errno::ENOTSOCK
      abort 'descriptor 3 is not a socket. The loader starts worker.rb: use `kubeless-loader run FILE`'
    end

    def initialize(descriptor)
      @socket = UNIXSocket.for_fd(descriptor)
      @gone = false # true in a forked child, which must not write
      @out = [] # frames to send; any thread appends, `flush` removes them in order
      @lock = Mutex.new
      @writer = nil # the thread that is in flush
      @rest = nil # the beginning of an incomplete frame
      @large = nil # a frame whose large body is being read
      @on_print = method(:post)
    end

    # ---- out

    def post(frame)
      @out << frame
      flush
    end

    def print(frame)
      @on_print.call(frame)
    end

    def flush
      return if @writer == Thread.current # a finalizer or a trap has printed during the loop below, which sends that too

      Thread.handle_interrupt(UNINTERRUPTED) do
        @lock.synchronize do
          begin # Ruby 2.4 has no `ensure` in a block
            @writer = Thread.current
            write(@out.shift(@out.size)) until @out.empty?
          ensure
            @writer = nil
          end
        end
      end
    end

    # Closes the wire in a forked child (PROTOCOL 1.2). Threads that held the locks do not exist
    # there.
    def leave_to_parent
      return if @gone

      @gone = true
      @out = []
      @lock = Mutex.new
      @writer = nil
      @socket.close
    end

    # ---- in

    # Waits for bytes. Returns the complete frames: each a Call, or the fields of another frame.
    def read
      return read_large if @large

      data = receive(READ_BYTES)
      data = @rest << data if @rest
      frames = []
      at = take_frames(data, frames)
      @rest = at < data.bytesize && @large.nil? ? data.byteslice(at, data.bytesize - at) : nil
      frames
    end

    private

    def write(frames)
      return if @gone

      data = frames.size == 1 ? frames[0] : frames.join
      loop do
        # Nonblocking, since Ruby gives its lock away for a blocking write, and others would have to
        # take it.
        sent = @socket.write_nonblock(data, exception: false)
        if sent == :wait_writable
          @socket.wait_writable
        elsif sent < data.bytesize
          data = data.byteslice(sent, data.bytesize - sent)
        else
          return
        end
      end
    rescue SystemCallError, IOError
      exit!(0) # the loader has ended
    end

    def receive(count)
      @socket.readpartial(count)
    rescue EOFError, SystemCallError
      exit!(0) # PROTOCOL 1.3
    end

    # Returns where the first incomplete frame begins.
    def take_frames(data, frames)
      data.freeze # otherwise each match copies it
      at = 0
      size = data.bytesize
      while at < size
        if (line = PLAIN.match(data, at))
          head_at = line.end(0)
          body_at = head_at + count(line[3], MAX_LINE_BYTES)
          after = body_at + count(line[4], MAX_BODY_BYTES)
        else
          line_end = data.index("\n", at)
          if line_end.nil?
            broken('a line over 1 MiB') if size - at > MAX_LINE_BYTES
            return at
          end
          line = parse(data.byteslice(at, line_end - at))
          head_at = line_end + 1
          body_at = head_at + count(line['head'], MAX_LINE_BYTES)
          after = body_at + count(line['body'], MAX_BODY_BYTES)
        end
        if after > size
          start_large(line, data, head_at, body_at, after) if body_at <= size && after - size > READ_BYTES
          return at
        end
        frames << frame(line, data.byteslice(head_at, body_at - head_at), data.byteslice(body_at, after - body_at))
        at = after
      end
      at
    end

    def frame(line, head, body)
      return Call.new(line[1].to_i, head, body, !line[2].nil?, line) if line.is_a?(MatchData)

      line['type'] == 'call' ? Call.new(line['id'], head, body, line['json'], line) : line
    end

    def start_large(line, data, head_at, body_at, after)
      body = String.new(capacity: after - body_at) << data.byteslice(body_at, data.bytesize - body_at)
      @large = Large.new(line, data.byteslice(head_at, body_at - head_at), body, after - body_at)
    end

    def read_large
      large = @large
      left = large.total - large.body.bytesize
      large.body << receive(left < LARGE_READ_BYTES ? left : LARGE_READ_BYTES)
      return [] if large.body.bytesize < large.total

      @large = nil
      [frame(large.line, large.head, large.body)]
    end

    def parse(line)
      fields = JSON.parse(line)
      return fields if fields.is_a?(Hash) && fields.key?('type')

      broken(line)
    rescue JSON::ParserError, EncodingError
      broken(line)
    end

    def count(given, max)
      return 0 if given.nil?

      number = given.is_a?(String) ? given.to_i : given
      return number if number.is_a?(Integer) && number >= 0 && number <= max

      broken("a length of #{given.inspect}")
    end

    def broken(what)
      STDERR.syswrite("the loader sent a broken frame: #{what.inspect[0, 200]}\n")
    ensure
      exit!(70) # PROTOCOL 2.7
    end
  end
end
