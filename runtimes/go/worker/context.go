package worker

import (
	"context"
	"sync"
	"time"
)

// callContext is Event.Extensions.Context. Most handlers never ask it anything, so its timer and its channel are made when
// one does.
type callContext struct {
	deadline time.Time
	mutex    sync.Mutex
	inner    context.Context
	cancel   context.CancelFunc
	ended    bool
}

func (c *callContext) real() context.Context {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithDeadline(context.Background(), c.deadline)
		if c.ended {
			c.cancel()
		}
	}
	return c.inner
}

// end cancels it: the caller has gone, or the call is over.
func (c *callContext) end() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, true }
func (c *callContext) Done() <-chan struct{}       { return c.real().Done() }
func (c *callContext) Err() error                  { return c.real().Err() }

// Value is asked of the real one, by which contexts made from this one find it and need no goroutine.
func (c *callContext) Value(key interface{}) interface{} { return c.real().Value(key) }
