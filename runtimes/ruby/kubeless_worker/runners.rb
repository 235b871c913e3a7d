# frozen_string_literal: true

# Runs calls on threads. runtimes/ANATOMY.md ("Runners") explains the scheme: reader, runner,
# monitor, hand-over and spread.

module KubelessWorker
  class Runners
    MAX_BACKLOG = 64 # frames that may wait for the reader's next write
    MASKED = { Exception => :never }.freeze # in the worker's own steps; see Calls::UNMASKED

    @idle_s = 60 # a runner that was not needed for so long ends

    class << self
      attr_accessor :idle_s # set by tests
    end

    attr_reader :wire, :reader, :reading, :taken
    attr_accessor :spread

    def initialize(wire, handler, context, limit)
      @wire = wire
      @limit = limit
      @calls = Calls.new(wire, handler, context)
      @flows = @calls.flows
      @lock = Mutex.new # guards runners, idle and reader; not held while a call runs or the wire is read
      @runners = []
      @idle = [] # the last one to become idle is woken first: its memory is in the caches
      @reader = nil
      @reading = false # the reader is inside wire.read
      @waiting = [] # calls that have not begun
      @taken = 0 # number of calls read so far
      @spread = false
      @stopping = false
      @done = Queue.new
      @monitor = Monitor.new(self)
      wire.on_print = method(:on_print)
    end

    # Returns when `stop` has come and all calls are answered.
    def serve
      @lock.synchronize { wake(1) }
      Thread.new { guard { @monitor.watch } }
      begin
        @done.pop
      rescue SystemExit # Ruby raises it in the main thread if any thread calls exit
        $stderr.puts 'a thread of the function called exit: the thread ended, the worker goes on'
        retry
      end
    end

    # Makes another runner the reader, unless the call has ended meanwhile.
    def hand_over(reader, call)
      @lock.synchronize do
        if @reader == reader && reader.call == call
          @reader = nil
          wake(1 + @waiting.size)
        end
      end
    end

    private

    # ---- which thread does what

    def work(me)
      finished = false
      guard { Thread.handle_interrupt(MASKED) { step(me) until me.ended? } }
      finished = true
    ensure
      replace(me) unless finished
    end

    # An error here is a fault of the worker: what handlers raise ends in calls.rb.
    def guard
      Thread.current.report_on_exception = false
      yield
    rescue Exception => error
      abort_worker(error)
    end

    def abort_worker(error)
      STDERR.syswrite(error.full_message(highlight: false))
    ensure
      exit!(70)
    end

    # Called if the handler has ended its thread (Thread.exit): ends the call and starts a new
    # thread.
    def replace(runner)
      Forks.end_child if @wire.gone
      call = runner.call
      @wire.post(Errors.frame(call, ThreadError.new('the handler ended the thread it ran on'))) if call != 0
      @lock.synchronize do
        @runners.delete(runner)
        @idle.delete(runner)
        @reader = nil if @reader == runner
        wake(1)
      end
    end

    def step(me)
      turn = @lock.synchronize do
        if !@waiting.empty? && may_run?(me)
          if @spread && @reader == me
            @reader = nil
            wake(@waiting.size)
          end
          :run
        elsif @reader.nil? || @reader == me
          @reader = me
          @reading = true
          end_if_done
          :read
        else
          @idle << me
          end_if_done
          :rest
        end
      end
      case turn
      when :run then run(me)
      when :read then read
      else rest(me)
      end
    end

    # Returns whether another runner is left that can read.
    def may_run?(me)
      !@idle.empty? || @runners.size <= @limit || !(@reader.nil? || @reader == me)
    end

    # Wakes or starts runners, which decide themselves what to do. The lock is held.
    def wake(count)
      count.times do
        if !@idle.empty?
          @idle.pop.gate.open
        elsif @runners.size <= @limit
          begin
            @runners << Runner.new { |runner| work(runner) }
          rescue ThreadError => error # the container's limit of processes is reached: use the threads that exist
            abort_worker(error) if @runners.empty?
            @limit = [1, @runners.size - 1].max
            return
          end
        end
      end
    end

    def end_if_done
      return unless @reading && @waiting.empty? && @idle.size == @runners.size - 1

      @flows.clear
      return unless @stopping

      @stopping = false
      @done << true
    end

    def rest(me)
      return if me.gate.wait(Runners.idle_s)

      @lock.synchronize do
        if @idle.delete(me)
          @runners.delete(me)
          me.ended = true
        end
      end
    end

    # ---- the wire

    def read
      frames = @wire.read
      @reading = false
      frames.each do |frame|
        if frame.is_a?(Call)
          @waiting << frame
          @taken += 1
        else
          control(frame)
        end
      end
      @monitor.rouse
    end

    def control(fields)
      kind = fields['type']
      call = fields['id']
      case kind
      when 'stop' then @stopping = true
      when 'pause', 'resume', 'cancel' then (@flows[call] ||= Flow.new).public_send(kind) if holds?(call)
      end
    end

    def holds?(call)
      @runners.any? { |runner| runner.call == call } || @waiting.any? { |waiting| waiting.id == call }
    end

    # Sends a `log` frame: the reader's with its answers or in the next tick, all others at once.
    def on_print(frame)
      @wire.out << frame
      @wire.flush if Thread.current != @reader || @wire.out.size > MAX_BACKLOG
    end

    def run(me)
      out = @wire.out
      partial = Output.partial
      while (call = @waiting.shift)
        drop_late if Thread.pending_interrupt?
        me.call = call.id
        answer = @calls.answer(call)
        Output.finish_lines(call.id) unless partial.empty?
        me.clear_locals
        @flows.delete(call.id) unless @flows.empty?
        out << answer
        @wire.flush unless @reader == me
      end
      me.call = 0
      @wire.flush
    end

    # Discards what another thread has raised in this one for a call that has ended.
    def drop_late
      Thread.handle_interrupt(Calls::UNMASKED) { Thread.pass }
    rescue Exception
      nil
    end
  end
end
