package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/kubeless/kubeless/wire"
)

// run calls the handler and answers the call, also if the handler panics or calls runtime.Goexit.
// After runtime.Goexit it does not return: the goroutine ends.
func (f *function) run(c *call) {
	returned := false
	defer func() {
		if !returned {
			c.response.close()
			c.fail(panicError(recover()))
		}
		c.context.cancel(context.Canceled)
	}()
	result, err := f.handler(c.event, f.context)
	returned = true
	c.answer(result, err)
}

func (c *call) fail(err CallError) {
	c.function.out.Add(wire.Error{ID: c.id, Code: err.Code, Message: err.Message, Stack: err.Stack})
}

// logError prints a line in the function's log that names this call.
func (c *call) logError(format string, values ...interface{}) {
	line := strings.ToValidUTF8(fmt.Sprintf(format, values...), "\ufffd")
	c.function.out.Add(wire.Log{ID: c.id, Stream: "stderr", Body: line})
}

// calls are the open calls that `pause`, `resume` and `cancel` can reach: the calls that have a
// goroutine of their own, and the calls that were handed over.
type calls struct {
	mutex    sync.Mutex
	byID     map[uint64]*call
	stopping bool
	// onEmpty is called once, after `stop`, when no call is open.
	onEmpty func()
}

func (cs *calls) add(c *call) {
	cs.mutex.Lock()
	if !c.answered {
		cs.byID[c.id] = c
	}
	cs.mutex.Unlock()
}

// remove is called after the call's answer was written.
func (cs *calls) remove(c *call) {
	cs.mutex.Lock()
	c.answered = true
	delete(cs.byID, c.id)
	cs.unlock()
}

// control applies a frame that is not a call.
func (cs *calls) control(frame *wire.Frame) {
	cs.mutex.Lock()
	c := cs.byID[frame.ID]
	if frame.Type == "stop" {
		cs.stopping = true
	}
	cs.unlock()
	if c == nil {
		return
	}
	switch frame.Type {
	case "pause":
		c.flow.setPaused(true)
	case "resume":
		c.flow.setPaused(false)
	case "cancel":
		c.flow.cancel()
		c.context.cancel(c.context.cancelReason())
	}
}

func (cs *calls) unlock() {
	onEmpty := cs.onEmpty
	empty := cs.stopping && len(cs.byID) == 0
	if empty {
		cs.onEmpty = nil
	}
	cs.mutex.Unlock()
	if empty && onEmpty != nil {
		onEmpty()
	}
}

// flow is what the loader has sent about a call that is open (PROTOCOL 5.1, 6.1).
type flow struct {
	mutex     sync.Mutex
	changed   *sync.Cond // made by the first write of a stream
	paused    bool
	cancelled bool
}

func (f *flow) setPaused(paused bool) {
	f.mutex.Lock()
	f.paused = paused
	f.broadcast()
	f.mutex.Unlock()
}

func (f *flow) cancel() {
	f.mutex.Lock()
	f.cancelled = true
	f.broadcast()
	f.mutex.Unlock()
}

func (f *flow) broadcast() {
	if f.changed != nil {
		f.changed.Broadcast()
	}
}

func (f *flow) isCancelled() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.cancelled
}

// waitUntilWritable blocks while the caller reads slower than the function writes. It reports false
// if the call was cancelled.
func (f *flow) waitUntilWritable() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.changed == nil {
		f.changed = sync.NewCond(&f.mutex)
	}
	for f.paused && !f.cancelled {
		f.changed.Wait()
	}
	return !f.cancelled
}
