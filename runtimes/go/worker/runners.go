package worker

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/kubeless/kubeless/wire"
)

// runners decides which goroutine runs a call. runtimes/ANATOMY.md ("Runners") explains the roles:
// the reader runs the calls that it reads; the monitor hands over when one call takes long; while
// calls are slow on average, each gets a goroutine (spread).
type runners struct {
	function *function
	in       *wire.Reader
	out      *wire.Writer
	calls    calls

	begun    atomic.Uint64 // the number of calls that the reader has begun
	inside   atomic.Uint64 // the turn of the call that the reader is inside of; 0: none
	average  atomic.Int64  // a call's time in ns, as a moving average
	spread   atomic.Bool
	switches atomic.Int64 // involuntary context switches when measure last looked
	resting  atomic.Bool  // the monitor rests
	wakeUp   chan struct{}

	// Only the reader uses these.
	current *call
	batch   int       // calls since the reader last waited
	since   time.Time // the start of the batch
}

func newRunners(f *function) *runners {
	r := &runners{function: f, out: f.out, wakeUp: make(chan struct{}, 1)}
	r.in = &wire.Reader{WithHeads: !f.withoutExtensions, BeforeWait: r.beforeWait}
	r.calls = calls{byID: map[uint64]*call{}, onEmpty: func() { go exit(r.out) }}
	f.onStream = r.handOver
	return r
}

func (r *runners) serve() {
	go r.monitor()
	go r.read()
	select {} // the reader ends the process
}

// read makes this goroutine the reader, until a hand-over.
func (r *runners) read() {
	var turn uint64
	defer func() {
		// The handler has ended this goroutine with runtime.Goexit.
		if turn != 0 && r.inside.CompareAndSwap(turn, 0) {
			go r.read()
		}
	}()
	r.batch = 0
	var frame wire.Frame
	for {
		for !r.in.Next(&frame) {
			r.in.Fill()
		}
		if frame.Type != "call" {
			r.calls.control(&frame)
			continue
		}
		c := r.function.newCall(&frame)
		frame.Head, frame.Body, frame.Data = "", "", "" // so that waiting keeps no body in memory
		if r.spread.Load() {
			r.calls.add(c)
			go r.runAlone(c)
			continue
		}
		if r.batch == 0 && r.isQuiet() {
			r.calls.add(c)
			go r.runAlone(c)
			runtime.Gosched() // starts it on this thread, which is awake
			continue
		}
		r.batch++
		r.current = c
		turn = r.begun.Add(1)
		c.turn = turn
		r.inside.Store(turn)
		if r.resting.Load() {
			r.wakeMonitor()
		}
		r.function.run(c)
		isReader := r.inside.CompareAndSwap(turn, 0)
		turn = 0
		if !isReader {
			r.out.Flush()
			r.calls.remove(c)
			return
		}
		r.current = nil
	}
}

// isQuiet reports whether calls come singly, with pauses between: then a goroutine per call costs
// less than waking the monitor. It is called for the first call after a wait.
func (r *runners) isQuiet() bool {
	before := r.since
	r.since = time.Now()
	return r.resting.Load() && r.since.Sub(before) > idleTicks*tick
}

func (r *runners) beforeWait() {
	if r.batch > 0 {
		r.measure(time.Since(r.since) / time.Duration(r.batch))
		r.batch = 0
	}
	r.out.Flush()
}

// runAlone runs a call on a goroutine of its own.
func (r *runners) runAlone(c *call) {
	defer func() {
		r.out.Flush()
		r.calls.remove(c)
	}()
	began := time.Now()
	r.function.run(c)
	r.measure(time.Since(began))
}

// handOver makes another goroutine the reader, if the reader is still inside the call of this turn.
func (r *runners) handOver(turn uint64) {
	if !r.inside.CompareAndSwap(turn, 0) {
		return
	}
	r.calls.add(r.current) // before another goroutine reads a `cancel` for it
	go r.read()
}
