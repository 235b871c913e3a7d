package worker

import (
	"context"
	"sync"
	"time"
)

const (
	// afterDeadline keeps the context open for longer than the loader waits: if both ended at the same
	// moment, a function that returns at Done() would be answered 200 instead of 408.
	afterDeadline = 100 * time.Millisecond
	// earlyTimer is how long before the deadline the loader's timer may fire.
	earlyTimer = 10 * time.Millisecond
)

// callContext is Event.Extensions.Context. Its channel and its timer are made when the handler
// first asks for them, because most handlers never do.
type callContext struct {
	deadline time.Time

	mutex sync.Mutex
	done  chan struct{}
	timer *time.Timer
	err   error // nil until the context has ended
}

// setDeadline sets when the loader stops waiting, in ms since 1970.
func (c *callContext) setDeadline(ms int64) {
	c.deadline = time.UnixMilli(ms).Add(afterDeadline)
}

// Deadline is when Done is closed, unless the loader cancels the call before.
func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *callContext) Done() <-chan struct{} {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		} else {
			c.timer = time.AfterFunc(time.Until(c.deadline), func() { c.cancel(context.DeadlineExceeded) })
		}
	}
	return c.done
}

func (c *callContext) Err() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err == nil && c.timer == nil && !time.Now().Before(c.deadline) {
		c.err = context.DeadlineExceeded
	}
	return c.err
}

// Value returns nil: the context carries no values.
func (c *callContext) Value(key interface{}) interface{} { return nil }

// cancelReason returns the error of a context that the loader cancels now: the call ran out of
// time, or its caller has gone.
func (c *callContext) cancelReason() error {
	if time.Until(c.deadline) < afterDeadline+earlyTimer {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// cancel ends the context with an error, once.
func (c *callContext) cancel(reason error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err != nil {
		return
	}
	c.err = reason
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil {
		close(c.done)
	}
}
