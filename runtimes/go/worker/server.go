package worker

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kubeless/kubeless/pkg/functions"
	"github.com/kubeless/kubeless/wire"
)

// server runs calls without a goroutine for each of them.
//
// One goroutine, the reader, owns the wire's reading side. It runs the calls that have come in itself, and their answers
// leave in one write: a fast function costs no more than a function call, and wakes no other thread. A monitor looks every
// millisecond; when it finds the reader inside one call for long, another goroutine reads on. When calls are slow as a rule,
// each gets a goroutine (`spread`), until they are fast again.
type server struct {
	in      *wire.Reader
	out     *wire.Writer
	handler functions.Handler
	context functions.Context
	plain   bool

	begun   atomic.Uint64 // calls that the reader has begun itself
	inside  atomic.Uint64 // the number of the one it is inside of; 0: none
	load    atomic.Int64  // how long a call takes, in `ns`: an average that forgets
	spread  atomic.Bool
	resting atomic.Bool // the monitor is
	stir    chan struct{}

	// the reader's own
	current *call
	batch   int       // calls since it last waited
	since   time.Time // when the first of them came

	mutex    sync.Mutex
	calls    map[uint64]*call // those that take their time, or have a goroutine
	stopping bool
}

func newServer(out *wire.Writer, handler functions.Handler, context functions.Context, options Options) *server {
	s := &server{out: out, handler: handler, context: context, plain: options.Plain}
	s.in = &wire.Reader{WithHeads: !options.Plain, BeforeWait: s.beforeWait}
	s.stir = make(chan struct{}, 1)
	s.calls = map[uint64]*call{}
	return s
}

func (s *server) serve() {
	go s.watch()
	go s.read()
	select {} // the process is ended, never this
}

// ---- the reader

// read reads the wire and runs calls, until somebody else does that.
func (s *server) read() {
	var turn uint64
	defer func() {
		// The handler has ended its goroutine, which is ours.
		if turn != 0 && s.inside.CompareAndSwap(turn, 0) {
			go s.read()
		}
	}()
	s.batch = 0
	var frame wire.Frame
	for {
		for !s.in.Next(&frame) {
			s.in.Fill()
		}
		if frame.Type != "call" {
			s.control(&frame)
			continue
		}
		c := newCall(s, &frame)
		frame.Head, frame.Body = "", "" // not to be kept while we wait
		if s.spread.Load() {
			s.register(c)
			go s.alone(c)
			continue
		}
		if s.batch == 0 && s.isQuiet() {
			s.register(c)
			go s.alone(c)
			runtime.Gosched() // it begins on this thread, which is awake
			continue
		}
		s.batch++
		s.current = c
		turn = s.begun.Add(1)
		c.turn = turn
		s.inside.Store(turn)
		if s.resting.Load() {
			s.wake()
		}
		s.run(c)
		mine := s.inside.CompareAndSwap(turn, 0)
		turn = 0
		if !mine {
			s.out.Flush()
			s.release(c)
			return
		}
		s.current = nil
	}
}

// isQuiet says whether calls come one by one, with pauses between: then a goroutine for each costs less than to wake the
// monitor. It is asked at the first call after a wait.
func (s *server) isQuiet() bool {
	before := s.since
	s.since = time.Now()
	return s.resting.Load() && s.since.Sub(before) > quiet*tick
}

// beforeWait is called when all that has come was run.
func (s *server) beforeWait() {
	if s.batch > 0 {
		s.measure(time.Since(s.since) / time.Duration(s.batch))
		s.batch = 0
	}
	s.out.Flush()
}

func (s *server) alone(c *call) {
	defer func() {
		s.out.Flush()
		s.release(c)
	}()
	began := time.Now()
	s.run(c)
	s.measure(time.Since(began))
}

// ---- calls that take their time

func (s *server) register(c *call) {
	s.mutex.Lock()
	if !c.over {
		s.calls[c.id] = c
	}
	s.mutex.Unlock()
}

// release is called when a call's answer has gone out.
func (s *server) release(c *call) {
	s.mutex.Lock()
	c.over = true
	delete(s.calls, c.id)
	last := s.stopping && len(s.calls) == 0
	s.mutex.Unlock()
	if last {
		s.leave()
	}
}

func (s *server) control(frame *wire.Frame) {
	s.mutex.Lock()
	c := s.calls[frame.ID]
	if frame.Type == "stop" {
		s.stopping = true
	}
	idle := s.stopping && len(s.calls) == 0
	s.mutex.Unlock()
	switch frame.Type {
	case "stop":
		if idle {
			s.leave()
		}
	case "pause", "resume", "cancel":
		if c != nil {
			c.flow(frame.Type)
		}
	}
}

func (s *server) leave() {
	s.out.Drain()
	os.Exit(0)
}
