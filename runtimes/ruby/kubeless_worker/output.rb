# frozen_string_literal: true

# Sends what a function prints as `log` frames with the id of its call (PROTOCOL.md, chapter 7).

module KubelessWorker
  # Replaces $stdout or $stderr. IO's own methods (puts, print, <<, …) call `write`. The constants
  # STDOUT and STDERR and the descriptors 1 and 2 stay as they are for C code and child processes.
  class Output < IO
    MAX_LINE_BYTES = 1 << 20 # a longer line is sent in pieces

    @partial = {} # [stream, call or thread] => the beginning of a line

    class << self
      attr_reader :partial

      def redirect(wire)
        STDOUT.sync = STDERR.sync = true
        $stdout = for_fd(1, 'w', autoclose: false).begin(wire, 'stdout')
        $stderr = for_fd(2, 'w', autoclose: false).begin(wire, 'stderr')
      end

      # Sends the lines that an answered call has left without a line break.
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
      cut = text.bytesize if text.bytesize - cut > MAX_LINE_BYTES
      partial[key] = text.byteslice(cut, text.bytesize - cut) if cut < text.bytesize
      emit(call, text.byteslice(0, cut)) if cut > 0
      size
    end

    def end_line(call)
      text = Output.partial.delete([@stream, call])
      emit(call.is_a?(Integer) ? call : nil, text << "\n") if text
    end

    # Does nothing inside a call: whole lines are sent at once, half a line waits for its end or the
    # call's.
    def flush
      end_line(Thread.current) unless @wire.gone || current_call
      self
    end

    # Only flushes: other calls still print.
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
      thread = Thread.current
      thread.call if thread.is_a?(Runner) && thread.call != 0
    end

    def emit(call, bytes)
      text = bytes.force_encoding(Encoding::UTF_8)
      text = text.scrub unless text.valid_encoding?
      mark = call ? %("id":#{call},) : ''
      line = +%({"type":"log","stream":"#{@stream}",#{mark}"body":#{text.bytesize}}\n)
      @wire.print((line << text).force_encoding(Encoding::BINARY))
    rescue ThreadError # a trap may not wait for a lock; the frame is in the wire's queue
      Thread.new { @wire.flush }
    end
  end
end
