package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/kubeless/kubeless/pkg/functions"
	"github.com/kubeless/kubeless/wire"
)

// call is one call of the handler, with all that its event's extensions need, in one piece of memory.
type call struct {
	server *server
	id     uint64
	turn   uint64 // its number, if the reader runs it
	method string
	json   bool
	over   bool // the server's, under its mutex
	event  functions.Event

	context  callContext
	response response
	body     body

	mutex     sync.Mutex // for what the loader says of it
	changed   *sync.Cond
	paused    bool
	cancelled bool
}

func newCall(s *server, frame *wire.Frame) *call {
	c := &call{server: s, id: frame.ID, method: frame.Method, json: frame.JSON}
	c.event = functions.Event{
		Data:           frame.Body,
		EventID:        frame.EventID,
		EventType:      frame.EventType,
		EventTime:      frame.EventTime,
		EventNamespace: frame.Namespace,
	}
	if !s.plain {
		c.context.deadline = time.UnixMilli(frame.Deadline)
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

// run calls the handler and answers. Nothing the handler does short of ending the process gets past here, but for
// runtime.Goexit, which goes on to end the goroutine.
func (s *server) run(c *call) {
	returned := false
	defer func() {
		if !returned {
			c.broken(recover())
		}
		c.context.end()
	}()
	if c.json && c.event.Data != "" {
		if err := malformed(c.event.Data); err != nil {
			returned = true
			c.error("BODY_MALFORMED", err.Error(), "")
			return
		}
	}
	result, err := s.handler(c.event, s.context)
	returned = true
	c.response.finish(c, result, err)
}

// broken answers for a handler that did not return.
func (c *call) broken(value interface{}) {
	message, stack := "the handler called runtime.Goexit", ""
	if value != nil {
		message = "panic: " + text(value)
		stack = told(message, panicStack())
	}
	c.response.abort()
	c.error("FUNCTION_THREW", message, stack)
}

// failed answers for a handler that returned an error.
func (c *call) failed(err error) {
	code := "FUNCTION_THREW"
	if c.isCancelled() && errors.Is(err, context.Canceled) {
		code = "CANCELLED"
	}
	message := text(err)
	c.error(code, message, told(message, errorStack(err, c.server.handler)))
}

func (c *call) error(code, message, stack string) {
	c.server.out.Add(wire.Error(c.id, code, message, stack), "", "")
}

// log prints for the function where it has no other way to see what went wrong.
func (c *call) log(format string, values ...interface{}) {
	line := strings.ToValidUTF8(fmt.Sprintf(format, values...), "\ufffd")
	c.server.out.Add(wire.Log(c.id, "stderr", len(line)), "", line)
}

// ---- what the loader says of it

func (c *call) flow(what string) {
	c.mutex.Lock()
	switch what {
	case "pause":
		c.paused = true
	case "resume":
		c.paused = false
	case "cancel":
		c.cancelled = true
	}
	if c.changed != nil {
		c.changed.Broadcast()
	}
	c.mutex.Unlock()
	if what == "cancel" {
		c.context.end()
	}
}

func (c *call) isCancelled() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.cancelled
}

// mayWrite waits until the caller can take more. False: there is no caller any more.
func (c *call) mayWrite() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.changed == nil {
		c.changed = sync.NewCond(&c.mutex)
	}
	for c.paused && !c.cancelled {
		c.changed.Wait()
	}
	return !c.cancelled
}

// takeTime lets others go on: from here on the call writes piece by piece, and may have to wait.
func (c *call) takeTime() {
	if c.turn != 0 {
		c.server.relieve(c.turn)
	}
}

// ---- JSON

// malformed says what is wrong with a body that says it is JSON (PROTOCOL 4.7).
func malformed(data string) error {
	bytes := bytesOf(data)
	if !json.Valid(bytes) {
		var value json.RawMessage
		if err := json.Unmarshal(bytes, &value); err != nil {
			return err
		}
		return errors.New("the body is not JSON")
	}
	if !utf8.ValidString(data) { // encoding/json lets that pass
		return errors.New("the body is JSON that is not UTF-8")
	}
	return nil
}

// bytesOf gives a text's own bytes, to read only.
func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&text)), len(text))
}
