# frozen_string_literal: true

# What a function prints, as `log` frames that name the call (PROTOCOL.md, chapter 7).

module KubelessWorker
  # $stdout or $stderr. IO's own methods (puts, print, <<, …) all come to `write`; the constants STDOUT and STDERR and the
  # descriptors 1 and 2 stay as they are, for C code and child processes.
  class Output < IO
    LINE_MAX = 1 << 20 # bytes; what has no line break by then goes as it is
    RUNNER = :kubeless_runner # the thread's variable with its Runner, where it has one

    @partial = {} # [stream, call or thread] -> the beginning of a line

    class << self
      attr_reader :partial

      def redirect(wire)
        STDOUT.sync = STDERR.sync = true
        $stdout = for_fd(1, 'w', autoclose: false).begin(wire, 'stdout')
        $stderr = for_fd(2, 'w', autoclose: false).begin(wire, 'stderr')
      end

      # The call is over: what it left without a line break is a line too.
      def finish_lines(call)
        [$stdout, $stderr].each { |stream| stream.end_line(call) if stream.is_a?(Output) }
      end
    end

    def begin(wire, stream)
      @wire = wire
      @stream = stream
      @elsewhere = false
      self.sync = true
      self
    end

    def write(*items)
      texts = items.map(&:to_s)
      size = texts.sum(&:bytesize)
      if @wire.gone || @elsewhere
        texts.each { |text| syswrite(text) unless text.empty? }
        return size
      end
      call = current_call
      key = [@stream, call || Thread.current]
      partial = Output.partial
      text = [partial.empty? ? nil : partial.delete(key), *texts].compact.map(&:b).join
      cut = (text.rindex("\n") || -1) + 1
      cut = text.bytesize if text.bytesize - cut > LINE_MAX
      partial[key] = text.byteslice(cut, text.bytesize - cut) if cut < text.bytesize
      emit(call, text.byteslice(0, cut)) if cut > 0
      size
    end

    def end_line(call)
      text = Output.partial.delete([@stream, call])
      emit(call.is_a?(Integer) ? call : nil, text << "\n") if text
    end

    # Lines go at once as it is. Half a line waits for its end, or for the call's.
    def flush
      end_line(Thread.current) unless @wire.gone || current_call
      self
    end

    # A function that closes its $stdout must not take away everybody's.
    def close
      flush
      nil
    end

    def reopen(*)
      @elsewhere = true
      super
    end

    private

    def current_call
      runner = Thread.current.thread_variable_get(RUNNER)
      call = runner && runner.call
      call unless call == 0
    end

    def emit(call, bytes)
      text = bytes.force_encoding(Encoding::UTF_8)
      text = text.scrub unless text.valid_encoding?
      mark = call ? %("id":#{call},) : ''
      line = +%({"type":"log","stream":"#{@stream}",#{mark}"body":#{text.bytesize}}\n) # + since Ruby 2 freezes it
      @wire.print((line << text).force_encoding(Encoding::BINARY))
    rescue ThreadError # a trap may not wait for a lock; the frame is on its way already
      Thread.new { @wire.flush }
    end
  end
end
