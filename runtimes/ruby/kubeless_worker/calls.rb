# frozen_string_literal: true

# A call of the handler, from its frame to the frame that ends it.

module KubelessWorker
  # A call that takes its time, as `pause`, `resume` and `cancel` reach it.
  class Flow
    attr_reader :cancelled

    def initialize
      @lock = Mutex.new
      @moved = ConditionVariable.new
      @open = true
      @cancelled = false
    end

    def pause
      @open = false unless @cancelled
    end

    def resume
      @lock.synchronize do
        @open = true
        @moved.broadcast
      end
    end

    def cancel
      @cancelled = true
      resume
    end

    def wait
      @lock.synchronize { @moved.wait(@lock) until @open } unless @open
      raise Cancelled, 'cancelled while it streamed' if @cancelled
    end
  end

  class Calls
    # A thread of ours takes what others raise in it (Timeout does so) in the function alone.
    OPEN = { Exception => :immediate }.freeze

    attr_reader :flows # of calls that take their time, or that the loader has said something about

    def initialize(wire, handler, context)
      @wire = wire
      @handler = handler
      @context = context
      @flows = {}
    end

    # Nothing a handler raises gets past here.
    def answer(call)
      unless @flows.empty?
        flow = @flows[call.id]
        raise Cancelled, 'cancelled before it began' if flow && flow.cancelled
      end
      event = Request.event_of(call)
      value = Thread.handle_interrupt(OPEN) { @handler.call(event, @context.dup) }
      frame = Results.answer(call.id, value)
      frame = stream(call.id, frame) unless frame.is_a?(String)
      Forks.end_child if @wire.gone
      frame
    rescue Exception => error
      Forks.end_child(error) if @wire.gone
      Errors.frame(call.id, error)
    end

    private

    def stream(call, stream)
      flow = (@flows[call] ||= Flow.new)
      opened = false
      Thread.handle_interrupt(OPEN) do
        stream.pieces.each do |item|
          data = Results.piece(item)
          unless opened
            @wire.post(Results.opening(call, stream, item))
            opened = true
          end
          each_part(data) do |part|
            flow.wait
            @wire.post(Results.chunk(call, part))
          end
        end
      end
      @wire.post(Results.opening(call, stream, '')) unless opened
      Results.finish(call)
    ensure
      close(stream.pieces)
    end

    # None of nothing: an empty chunk says nothing.
    def each_part(data)
      size = data.bytesize
      return yield(data) if size > 0 && size <= Results::PIECE

      0.step(size - 1, Results::PIECE) { |at| yield data.byteslice(at, Results::PIECE) }
    end

    # Whether it ran to its end or not; what a function does wrong in here has no call to go to.
    def close(pieces)
      pieces.close if pieces.respond_to?(:close)
    rescue StandardError
      nil
    end
  end
end
