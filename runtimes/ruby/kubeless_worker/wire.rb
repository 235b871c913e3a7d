# frozen_string_literal: true

# The wire: frames in, frames out of one socket (PROTOCOL.md, chapters 1 and 2).

require 'fcntl'
require 'json'
require 'socket'

module KubelessWorker
  # A `call` frame.
  class Call
    attr_reader :id, :head, :body, :json, :plain

    # `plain`: the line has neither event-* nor extensions. Then nobody may ask for its fields, and they are not read yet.
    def initialize(id, head, body, json, line)
      @id = id
      @head = head
      @body = body
      @json = json
      @plain = line.is_a?(MatchData)
      @line = line
    end

    def fields
      @line = JSON.parse(@line[0]) if @line.is_a?(MatchData)
      @line
    end
  end

  class Wire
    READ = 1 << 16 # bytes: a hundred calls, and still below malloc's threshold for a mapping of its own
    LARGE_READ = 1 << 20 # bytes
    LINE_MAX = 1 << 20 # bytes, PROTOCOL 2.3
    BODY_MAX = 1 << 30 # bytes, PROTOCOL 2.3
    F_DUPFD_CLOEXEC = Fcntl.const_defined?(:F_DUPFD_CLOEXEC) ? Fcntl::F_DUPFD_CLOEXEC : 1030
    # The line of most calls, just as the loader writes it: to look for this costs a fifth of reading it as JSON.
    PLAIN = /\G\{"type":"call","id":(0|[1-9]\d*),"method":"[A-Z]+","path":"[ !#-\[\]-~]*"(?:,"query":"[ !#-\[\]-~]*")?,"deadline":(?:0|[1-9]\d*)(,"json":true)?(?:,"head":(0|[1-9]\d*))?(?:,"body":(0|[1-9]\d*))?\}\n/n.freeze
    # Half a frame on the wire is its end: no Timeout, and no kill, may come while one is written.
    UNDISTURBED = { Object => :never }.freeze

    Large = Struct.new(:line, :head, :body, :size)

    attr_reader :gone, :out
    attr_writer :on_print # how what the function prints is sent; whoever runs calls may be lazier

    # The wire, moved to a high descriptor: a handler may well close 3, or write to it, by number.
    def self.take(number = 3)
      given = IO.for_fd(number, 'r+', autoclose: false)
      raise Errno::ENOTSOCK unless given.stat.socket?

      wire = new(given.fcntl(F_DUPFD_CLOEXEC, 64))
      given.reopen(File::NULL, 'r+')
      STDIN.reopen(File::NULL) # PROTOCOL 1.4, also where someone else than the loader starts the worker
      wire
    rescue Errno::EBADF, Errno::ENOTSOCK
      abort 'worker.rb is started by the loader, with a socket at descriptor 3: use `kubeless-loader run FILE`'
    end

    def initialize(descriptor)
      @socket = UNIXSocket.for_fd(descriptor)
      @gone = false # in a forked child, which must not write
      @out = [] # frames on their way: anyone appends, flush takes them away in order
      @lock = Mutex.new
      @writer = nil # the thread that is in flush
      @rest = nil # the beginning of a frame
      @large = nil # a body that comes in parts
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
      return if @writer == Thread.current # a finalizer or a trap printed in here: the loop below takes that along

      Thread.handle_interrupt(UNDISTURBED) do
        @lock.synchronize do
          @writer = Thread.current
          write(@out.shift(@out.size)) until @out.empty?
        ensure
          @writer = nil
        end
      end
    end

    # In a forked child: the wire is the parent's (1.2), and locks may be held by threads that are no more.
    def leave_to_parent
      return if @gone

      @gone = true
      @out = []
      @lock = Mutex.new
      @writer = nil
      @socket.close
    end

    # ---- in

    # Waits for bytes; gives the frames that are whole by now: each a Call, or the fields of another frame.
    def read
      return read_large if @large

      data = receive(READ)
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
        # Nonblocking, since Ruby gives its lock away for a blocking write, and others would have to take it.
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
      exit!(0) # the loader is gone
    end

    def receive(count)
      @socket.readpartial(count)
    rescue EOFError, SystemCallError
      exit!(0) # PROTOCOL 1.3
    end

    # -> where the first frame begins that is not whole
    def take_frames(data, frames)
      data.freeze # or each match would keep a copy
      at = 0
      size = data.bytesize
      while at < size
        if (line = PLAIN.match(data, at))
          head_at = line.end(0)
          body_at = head_at + count(line[3], LINE_MAX)
          after = body_at + count(line[4], BODY_MAX)
        else
          line_end = data.index("\n", at)
          if line_end.nil?
            broken('a line over 1 MiB') if size - at > LINE_MAX
            return at
          end
          line = parse(data.byteslice(at, line_end - at))
          head_at = line_end + 1
          body_at = head_at + count(line['head'], LINE_MAX)
          after = body_at + count(line['body'], BODY_MAX)
        end
        if after > size
          start_large(line, data, head_at, body_at, after) if body_at <= size && after - size > READ
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
      left = large.size - large.body.bytesize
      large.body << receive(left < LARGE_READ ? left : LARGE_READ)
      return [] if large.body.bytesize < large.size

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

    def count(given, most)
      return 0 if given.nil?

      number = given.is_a?(String) ? given.to_i : given
      return number if number.is_a?(Integer) && number >= 0 && number <= most

      broken("a length of #{given.inspect}")
    end

    def broken(what)
      STDERR.syswrite("the loader sent what is no frame: #{what.inspect[0, 200]}\n")
      exit!(70) # PROTOCOL 2.7
    end
  end
end
