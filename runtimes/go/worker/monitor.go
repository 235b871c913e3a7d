package worker

import (
	"syscall"
	"time"
)

// runtimes/ANATOMY.md ("Runners") explains these constants.
const (
	tick      = time.Millisecond
	idleTicks = 3 // ticks without a call after which the monitor rests
	slowCall  = 30 * time.Microsecond
	fastCall  = slowCall / 3
	// maxStarvedTicks bounds how long a call counts as starved: a call that lost the CPU once and then
	// blocks must not keep others waiting.
	maxStarvedTicks = 10
)

// monitor wakes once per tick while there is work.
func (r *runners) monitor() {
	var watch watch
	var begun uint64
	for idle := 0; ; {
		time.Sleep(tick)
		inside := r.inside.Load()
		if watch.isSlow(inside, processUsage()) {
			r.handOver(inside)
			r.add(tick)
			inside = 0
		}
		if r.out.HasPending() {
			r.out.Flush() // answers that would wait for the end of their batch
		}
		if now := r.begun.Load(); now != begun || inside != 0 {
			begun, idle = now, 0
			continue
		}
		if idle++; idle < idleTicks {
			continue
		}
		// `inside` is read after `resting` is set; the reader sets `inside` before it reads `resting`.
		// One of the two always sees the other (no lost wake-up).
		r.resting.Store(true)
		if r.inside.Load() == 0 {
			<-r.wakeUp
		}
		r.resting.Store(false)
		idle, watch.last = 0, processUsage()
	}
}

func (r *runners) wakeMonitor() {
	select {
	case r.wakeUp <- struct{}{}:
	default:
	}
}

// watch follows the call that the reader is inside of, from tick to tick.
type watch struct {
	turn   uint64
	ticks  int
	last   usage // at the last tick
	before usage // at the tick before the call was first seen
	first  usage // at the tick that first saw it
}

// isSlow reports whether the reader was inside the call of this turn for a whole tick, in which it
// used the CPU or was blocked. A call that only waited for a CPU is not slow.
func (w *watch) isSlow(turn uint64, now usage) bool {
	before := w.last
	w.last = now
	if turn == 0 || turn != w.turn {
		w.turn, w.ticks, w.before, w.first = turn, 0, before, now
		return false
	}
	w.ticks++
	starved := now.switches != w.before.switches && now.cpu-w.first.cpu < tick/2
	return !starved || w.ticks >= maxStarvedTicks
}

// measure adds the time of a call to the average. Wall time is good enough for calls that were not
// interrupted; others say more about the machine than about the call, so they cannot start a
// spread.
func (r *runners) measure(took time.Duration) {
	if took > slowCall && !r.spread.Load() {
		if now := processUsage().switches; r.switches.Swap(now) != now {
			return
		}
	}
	r.add(took)
}

func (r *runners) add(took time.Duration) {
	if took > tick {
		took = tick
	}
	average := r.average.Load()
	average += (int64(took) - average) / 8
	r.average.Store(average)
	limit := slowCall
	if r.spread.Load() {
		limit = fastCall
	}
	if spread := average > int64(limit); spread != r.spread.Load() {
		r.spread.Store(spread)
	}
}

// usage is what this process has used since its start.
type usage struct {
	cpu      time.Duration
	switches int64 // involuntary context switches: a thread that could run lost its CPU
}

func processUsage() usage {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return usage{time.Duration(used.Utime.Nano() + used.Stime.Nano()), int64(used.Nivcsw)}
}
