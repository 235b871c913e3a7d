# frozen_string_literal: true

# Runs functions on threads, without a change of thread for each call.
#
# One thread, the reader, owns the wire. It reads what has come, runs the calls in it itself, and sends all their answers
# with one write: a fast function costs no more than a method call. A monitor looks every few milliseconds. When it finds
# the reader inside one call for long, it lets another thread read on and take the calls that wait. When calls turn out to
# be slow as a rule, the reader hands its place on before it runs any (`spread`), until they are fast again.
#
# There is one thread more than calls may run, so somebody is always there to read `cancel`, `pause` and `stop`.

module KubelessWorker
  # A thread that runs calls, and what the others need to know of it.
  class Runner
    attr_accessor :call # the id of the call it is inside of, or 0
    attr_reader :gate # where it waits when there is nothing to do

    def initialize
      @call = 0
      @gate = Queue.new
    end
  end

  class Threads
    TICK = 0.002 # seconds
    QUIET = 10 # ticks without work after which the monitor rests
    SLOW = 0.0002 # seconds a call, on average: a change of thread costs a tenth of it
    FAST = SLOW / 2
    BACKLOG = 64 # frames that may wait for the reader's next write
    # Kept away from our own steps; calls.rb lets it in again.
    CLOSED = { Exception => :never }.freeze

    def initialize(wire, handler, context, limit)
      @wire = wire
      @limit = limit
      @calls = Calls.new(wire, handler, context)
      @flows = @calls.flows
      @lock = Mutex.new # for who reads, who runs and who rests; nothing is read or run under it
      @runners = []
      @idle = [] # those at their gates, the latest last: its memory is the warmest
      @reader = nil
      @reading = false # the reader is inside wire.read
      @waiting = [] # calls that nobody has begun
      @taken = 0 # calls that were ever read
      @spread = false
      @resting = false # the monitor is
      @stir = Queue.new
      @stopping = false
      @over = Queue.new
      wire.on_print = method(:on_print)
    end

    # Returns when `stop` has come and all calls are done.
    def serve
      @lock.synchronize { wake(1) }
      Thread.new { guard { watch } }
      begin
        @over.pop
      rescue SystemExit # Ruby sends it here from whichever thread of the function's called exit
        $stderr.puts 'a thread that the function has started called exit: the thread ends, the worker does not'
        retry
      end
    end

    private

    # ---- who does what

    def start(runner)
      Thread.new do
        Thread.current.thread_variable_set(Output::RUNNER, runner)
        finished = false
        guard { Thread.handle_interrupt(CLOSED) { loop { step(runner) } } }
        finished = true
      ensure
        replace(runner) unless finished
      end
    end

    # What handlers raise ends in calls.rb: this is a mistake of ours.
    def guard
      Thread.current.report_on_exception = false
      yield
    rescue Exception => error
      STDERR.syswrite(error.full_message(highlight: false))
      exit!(70)
    end

    # The handler has ended our thread (Thread.exit): its call is over, the others go on with another one.
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
      else me.gate.pop
      end
    end

    # Somebody else has to be left who can read.
    def may_run?(me)
      !@idle.empty? || @runners.size <= @limit || !(@reader.nil? || @reader == me)
    end

    # They see for themselves what there is to do. The lock is held.
    def wake(count)
      count.times do
        if !@idle.empty?
          @idle.pop.gate << true
        elsif @runners.size <= @limit
          runner = Runner.new
          begin
            start(runner)
          rescue ThreadError # the container's limit of processes
            @limit = [1, @runners.size - 1].max
            return
          end
          @runners << runner
        end
      end
    end

    def end_if_done
      return unless @reading && @waiting.empty? && @idle.size == @runners.size - 1

      @flows.clear
      return unless @stopping

      @stopping = false
      @over << true
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
      @stir << true if @resting
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

    # The reader's lines go with its answers, or at the monitor's next look.
    def on_print(frame)
      @wire.out << frame
      runner = Thread.current.thread_variable_get(Output::RUNNER)
      @wire.flush if runner.nil? || runner != @reader || @wire.out.size > BACKLOG
    end

    def run(me)
      out = @wire.out
      partial = Output.partial
      while (call = @waiting.shift)
        drop_late if Thread.pending_interrupt?
        me.call = call.id
        answer = @calls.answer(call)
        Output.finish_lines(call.id) unless partial.empty?
        @flows.delete(call.id) unless @flows.empty?
        out << answer
        @wire.flush unless @reader == me
      end
      me.call = 0
      @wire.flush
    end

    # What somebody raised in this thread for a call that is over must not hit the next one.
    def drop_late
      Thread.handle_interrupt(Calls::OPEN) { Thread.pass }
    rescue Exception
      nil
    end

    # ---- the monitor

    # Looks while there is work, and costs nothing while there is none.
    def watch
      seen = quiet = taken = 0
      busy = calls = 0.0 # seconds spent inside handlers, calls begun: sums in which the past counts for less
      last = now
      loop do
        sleep(TICK)
        time = now
        @wire.flush unless @wire.out.empty?
        reader = @reader
        call = reader.nil? ? 0 : reader.call
        relieve(reader, call) if call != 0 && call == seen
        seen = call
        inside = @runners.count { |runner| runner.call != 0 }
        busy = busy * 0.75 + inside * (time - last)
        calls = calls * 0.75 + @taken - taken
        taken = @taken
        last = time
        @spread = @spread ? calls < 8 || busy > calls * FAST : busy > 1.5 * TICK && busy > calls * SLOW
        quiet = @reading && @wire.out.empty? ? quiet + 1 : 0
        next if quiet < QUIET

        @stir.clear
        @resting = true
        @stir.pop if @reading # asked after resting is told: read asks the other way round, so one of us sees the other
        @resting = false
        quiet = 0
        taken = @taken
        last = now
        busy = calls = 0.0
      end
    end

    def relieve(reader, call)
      @lock.synchronize do
        if @reader == reader && reader.call == call
          @reader = nil
          wake(1 + @waiting.size)
        end
      end
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
