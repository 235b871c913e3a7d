package worker

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"unsafe"

	"github.com/kubeless/kubeless/wire"
)

// The limits of PROTOCOL 5.2.
const (
	maxChunkBytes  = 64 << 10
	maxResultBytes = 256 << 10
)

// answer sends what the handler returned.
func (c *call) answer(result string, err error) {
	r := &c.response
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.closed = true
	r.call = c
	if err != nil {
		if r.headSent || r.status < 400 {
			c.fail(returnedError(err, c.flow.isCancelled(), c.function.handler))
			return
		}
		// A function that has set an error status has answered. Its error goes to the log only.
		c.logError("%s\n", textOf(err))
		result = ""
	}
	if r.headSent {
		r.endStream(result)
		return
	}
	if r.status == 0 && r.header == nil && len(result) <= maxResultBytes {
		head := ""
		if result != "" {
			head = guessedHead(result)
		}
		c.function.out.AddResult(wire.Result{ID: c.id, Status: http.StatusOK, Head: head, Body: result})
		return
	}
	if r.status == 0 {
		r.fix(http.StatusOK)
	}
	if len(r.held) > 0 {
		result = string(r.held) + result
		r.held = nil
	}
	if !mayHaveBody(r.status) {
		result = ""
	}
	if len(result) > maxResultBytes {
		if err := r.sendHead(bytesOf(result), len(result)); err != nil {
			c.failResult(err)
			return
		}
		r.endStream(result)
		return
	}
	// The loader sets Content-Length. Only for a body that is absent on purpose the function sets it.
	keepLength := result == "" && (c.method == http.MethodHead || r.status == http.StatusNotModified)
	head, err := headOf(r.fixed, r.status, bytesOf(result), keepLength)
	if err != nil {
		c.failResult(err)
		return
	}
	c.function.out.AddResult(wire.Result{ID: c.id, Status: r.status, Head: head, Body: result})
}

func (c *call) failResult(err error) {
	c.fail(CallError{"RESULT_INVALID", err.Error(), ""})
}

// endStream sends the rest of a stream.
func (r *response) endStream(rest string) {
	c := r.call
	err := r.sendChunks(string(r.held))
	if err == nil {
		err = r.sendChunks(rest)
	}
	if err == nil && r.length >= 0 && r.sent != r.length && c.method != http.MethodHead && mayHaveBody(r.status) {
		err = fmt.Errorf("the function set Content-Length %d and wrote %d bytes", r.length, r.sent)
	}
	switch {
	case err == context.Canceled:
		c.fail(CallError{"CANCELLED", "the caller has gone", ""})
	case err != nil:
		c.failResult(err)
	default:
		c.function.out.Add(wire.End{ID: c.id})
	}
}

func (r *response) flush() error {
	if err := r.sendHead(r.held, -1); err != nil {
		return err
	}
	held := r.held
	r.held = r.held[:0]
	if len(held) == 0 {
		return nil
	}
	return r.sendChunks(string(held))
}

// sendHead makes the answer a stream, unless it is one. The length is that of the whole body; -1:
// not known.
func (r *response) sendHead(start []byte, length int) error {
	if r.headSent {
		return nil
	}
	if r.status == 0 {
		r.fix(http.StatusOK)
	}
	r.length = -1
	if length >= 0 {
		r.fixed.Set("Content-Length", strconv.Itoa(length))
		r.length = int64(length)
	} else if set := r.fixed.Get("Content-Length"); set != "" {
		count, err := strconv.ParseUint(set, 10, 63)
		if err != nil {
			r.fixed.Del("Content-Length")
		} else {
			r.length = int64(count)
		}
	}
	head, err := headOf(r.fixed, r.status, start, true)
	if err != nil {
		return err
	}
	if r.call.turn != 0 {
		r.call.function.onStream(r.call.turn) // from here on the call may have to wait for its caller
	}
	r.headSent = true
	r.call.function.out.Send(wire.Head{ID: r.call.id, Status: r.status, Head: head})
	return nil
}

// sendChunks returns context.Canceled if the caller has gone.
func (r *response) sendChunks(data string) error {
	if r.length >= 0 && r.sent+int64(len(data)) > r.length {
		return http.ErrContentLength
	}
	for data != "" {
		chunk := data
		if len(chunk) > maxChunkBytes {
			chunk = chunk[:maxChunkBytes]
		}
		if !r.call.flow.waitUntilWritable() {
			return context.Canceled
		}
		r.call.function.out.Send(wire.Chunk{ID: r.call.id, Body: chunk})
		r.sent += int64(len(chunk))
		data = data[len(chunk):]
	}
	return nil
}

// bytesOf returns the bytes of a text without a copy. They must not be written to.
func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&text)), len(text))
}
