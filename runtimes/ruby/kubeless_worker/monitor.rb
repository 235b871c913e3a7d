# frozen_string_literal: true

# Hands over from a reader that is in a slow call, and decides whether calls are spread.
# runtimes/ANATOMY.md ("Runners") explains both.

module KubelessWorker
  class Monitor
    TICK_S = 0.002
    QUIET_TICKS = 10 # without work; then the monitor rests
    SLOW_S = 0.0002 # average time of a call above which calls are spread; a hand-over costs 0.00002
    SPREAD_TICKS = 256 # then one thread alone runs calls again, as long as they are fast
    PAST = 0.75 # weight of the past in the averages, per tick

    def initialize(runners)
      @runners = runners
      @resting = false
      @gate = Queue.new
    end

    # Looks once per tick while there is work, and rests otherwise.
    def watch
      @clock = ThreadClock.new
      loop do
        watch_until_quiet
        @gate.clear
        # Runners#read clears `reading` before it checks `resting`, so one of the two sees the
        # other.
        @resting = true
        @gate.pop if @runners.reading
        @resting = false
      end
    end

    def rouse
      @gate << true if @resting
    end

    private

    def watch_until_quiet
      runners = @runners
      out = runners.wire.out
      quiet = spread_ticks = seen = 0
      taken = runners.taken
      last = since = @clock.read(runners.reader) # at the last look, and at the first one in this call
      busy = calls = 0.0 # weighted sums: seconds that the reader was in calls, and calls begun
      while quiet < QUIET_TICKS
        sleep(TICK_S)
        runners.wire.flush unless out.empty?
        reader = runners.reader
        call = reader.nil? ? 0 : reader.call
        now = @clock.read(reader)
        if call == 0 || call != seen
          seen = call
          since = now
        elsif now.slow_since?(since)
          runners.hand_over(reader, call)
        end
        busy = busy * PAST + (call == 0 ? 0.0 : now.active_since(last))
        calls = calls * PAST + runners.taken - taken
        taken = runners.taken
        last = now
        if !runners.spread
          runners.spread = busy > 1.5 * TICK_S && busy > calls * SLOW_S
          spread_ticks = 0
        elsif spread_ticks >= SPREAD_TICKS
          runners.spread = false
          busy = calls = 0.0
        end
        spread_ticks += 1
        quiet = runners.reading && out.empty? ? quiet + 1 : 0
      end
    end
  end

  # Clocks of one thread at one moment, in seconds: `cpu` is the CPU time used, `queued` the time
  # spent ready to run but without a CPU.
  Times = Struct.new(:runner, :wall, :cpu, :queued) do
    # Returns the time in which the thread ran or was blocked.
    def active_since(earlier)
      time = wall - earlier.wall
      runner == earlier.runner ? time - (queued - earlier.queued) : time
    end

    # Returns whether the thread has used a tick of CPU time, or has been blocked for a tick and
    # still is.
    def slow_since?(earlier)
      return true if cpu - earlier.cpu >= Monitor::TICK_S

      active_since(earlier) >= Monitor::TICK_S && !runnable?
    end

    # Returns whether the thread runs or waits for a CPU (state R in /proc/…/stat).
    def runnable?
      File.read("#{runner.task}/stat", 512).rpartition(') ')[2].start_with?('R')
    rescue SystemCallError
      false
    end
  end

  # IO#pread for Ruby 2.4.
  module Pread
    def pread(size, offset)
      sysseek(offset)
      sysread(size)
    end
  end

  # Reads /proc/…/schedstat of the reader.
  #
  # Adds the time for which the monitor itself waits for a CPU: it may hold the interpreter lock
  # then, which blocks the reader. Without schedstat (macOS, gVisor) all wall time is blocked time.
  class ThreadClock
    def initialize
      @runner = nil
      @file = nil
      @own = open(Runner.task)
    end

    def read(runner)
      wall = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      follow(runner) unless runner == @runner
      return Times.new(runner, wall, 0.0, 0.0) if @file.nil? || @own.nil?

      cpu, queued = @file.pread(64, 0).split
      own = @own.pread(64, 0).split[1]
      Times.new(runner, wall, cpu.to_i / 1e9, (queued.to_i + own.to_i) / 1e9)
    rescue SystemCallError, EOFError # the thread has ended
      Times.new(runner, wall, 0.0, 0.0)
    end

    private

    def follow(runner)
      @file.close unless @file.nil?
      @file = open(runner && runner.task)
      @runner = runner
    end

    def open(task)
      return if task.nil?

      file = File.open("#{task}/schedstat")
      file.respond_to?(:pread) ? file : file.extend(Pread)
    rescue SystemCallError
      nil
    end
  end
end
