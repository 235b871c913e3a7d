package worker

import (
	"github.com/kubeless/kubeless/pkg/functions"
	"github.com/kubeless/kubeless/wire"
)

// function is the loaded handler with everything that its calls share.
type function struct {
	handler           functions.Handler
	context           functions.Context
	withoutExtensions bool
	out               *wire.Writer
	// onStream is called when the answer of the reader's call of this turn becomes a stream.
	onStream func(turn uint64)
}

// call is one call of the handler. It embeds what the event's extensions need, so that a call is
// one allocation.
type call struct {
	function *function
	id       uint64
	turn     uint64 // the call's number among those of the reader; 0: a goroutine of its own runs it
	method   string
	event    functions.Event

	context  callContext
	response response
	body     body
	flow     flow

	answered bool // guarded by calls.mutex
}

func (f *function) newCall(frame *wire.Frame) *call {
	c := &call{function: f, id: frame.ID, method: frame.Method}
	c.event = functions.Event{
		Data:           frame.Data,
		EventID:        frame.EventID,
		EventType:      frame.EventType,
		EventTime:      frame.EventTime,
		EventNamespace: frame.Namespace,
	}
	if !f.withoutExtensions {
		c.context.setDeadline(frame.Deadline)
		c.response.call = c
		c.event.Extensions = functions.Extension{
			Request:    newRequest(c, frame),
			Response:   &c.response,
			Context:    &c.context,
			Attributes: frame.Extensions,
		}
	}
	return c
}
