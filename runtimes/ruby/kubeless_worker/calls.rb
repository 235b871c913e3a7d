# frozen_string_literal: true

# Runs calls of the handler: one frame in, one frame that ends the call out.

module KubelessWorker
  # How `pause`, `resume` and `cancel` reach a call.
  class Flow
    attr_reader :cancelled

    def initialize
      @lock = Mutex.new
      @changed = ConditionVariable.new
      @open = true
      @cancelled = false
    end

    def pause
      @open = false unless @cancelled
    end

    def resume
      @lock.synchronize do
        @open = true
        @changed.broadcast
      end
    end

    def cancel
      @cancelled = true
      resume
    end

    # Returns when the call is not paused. Raises Cancelled if it is cancelled.
    def wait
      @lock.synchronize { @changed.wait(@lock) until @open } unless @open
      raise Cancelled, 'cancelled while it streamed' if @cancelled
    end
  end

  class Calls
    # What another thread raises in a runner (as Timeout does) may arrive in the function only.
    UNMASKED = { Exception => :immediate }.freeze

    attr_reader :flows # of calls that stream, and of calls that got a control frame

    def initialize(wire, handler, context)
      @wire = wire
      @handler = handler
      @context = context
      @flows = {}
    end

    # Returns the frame that ends the call. Never raises.
    def answer(call)
      unless @flows.empty?
        flow = @flows[call.id]
        raise Cancelled, 'cancelled before it began' if flow && flow.cancelled
      end
      event = Event.of(call)
      value = Thread.handle_interrupt(UNMASKED) { @handler.call(event, @context.dup) }
      frame = Result.of(call.id, value)
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
      Thread.handle_interrupt(UNMASKED) do
        stream.pieces.each do |item|
          data = Result.piece(item)
          unless opened
            @wire.post(Result.opening(call, stream, item))
            opened = true
          end
          each_part(data) do |part|
            flow.wait
            @wire.post(Result.chunk(call, part))
          end
        end
      end
      @wire.post(Result.opening(call, stream, '')) unless opened
      Result.finish(call)
    ensure
      close(stream.pieces)
    end

    # Yields the chunks of a piece; an empty piece has none.
    def each_part(data)
      size = data.bytesize
      return yield(data) if size > 0 && size <= Result::MAX_CHUNK_BYTES

      0.step(size - 1, Result::MAX_CHUNK_BYTES) { |at| yield data.byteslice(at, Result::MAX_CHUNK_BYTES) }
    end

    # Closes a stream, at its end or before. An error in `close` is lost: the call may have its end.
    def close(pieces)
      pieces.close if pieces.respond_to?(:close)
    rescue StandardError
      nil
    end
  end
end
