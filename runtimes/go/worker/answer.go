package worker

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/kubeless/kubeless/wire"
)

// pieceMost is the largest chunk, and wholeMost the largest result that goes in one frame, in bytes (PROTOCOL 5.2).
const (
	pieceMost = 64 << 10
	wholeMost = 256 << 10
)

// finish answers the call with what the handler returned.
func (r *response) finish(c *call, result string, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.over = true
	r.call = c
	if err != nil {
		// A function that has told its caller what is wrong has answered; the error is for its author.
		if r.sent || r.status < 400 {
			c.failed(err)
			return
		}
		c.log("%s\n", text(err))
		result = ""
	}
	if r.sent {
		r.finishStream(result)
		return
	}
	if r.status == 0 && r.header == nil && len(result) <= wholeMost {
		head := ""
		if result != "" {
			head = sniffed(result)
		}
		c.server.out.AddResult(c.id, http.StatusOK, head, result)
		return
	}
	if r.status == 0 {
		r.fix(http.StatusOK)
	}
	if len(r.held) > 0 {
		result = string(r.held) + result
		r.held = nil
	}
	if bodiless(r.status) {
		result = ""
	}
	if len(result) > wholeMost {
		if err := r.open(bytesOf(result), len(result)); err != nil {
			c.error("RESULT_INVALID", err.Error(), "")
			return
		}
		r.finishStream(result)
		return
	}
	// The loader counts; only what a HEAD tells of a body that is not there is the function's to say.
	keepLength := result == "" && (c.method == http.MethodHead || r.status == http.StatusNotModified)
	head, err := headBlock(r.fixed, r.status, bytesOf(result), keepLength)
	if err != nil {
		c.error("RESULT_INVALID", err.Error(), "")
		return
	}
	c.server.out.AddResult(c.id, r.status, head, result)
}

func (r *response) finishStream(result string) {
	c := r.call
	err := r.pieces(string(r.held))
	if err == nil {
		err = r.pieces(result)
	}
	if err == nil && r.length >= 0 && r.out != r.length && c.method != http.MethodHead && !bodiless(r.status) {
		err = fmt.Errorf("the function said Content-Length %d and wrote %d bytes", r.length, r.out)
	}
	switch {
	case err == context.Canceled:
		c.error("CANCELLED", "the caller has gone", "")
	case err != nil:
		c.error("RESULT_INVALID", err.Error(), "")
	default:
		c.server.out.Add(wire.End(c.id), "", "")
	}
}

func (r *response) flush() error {
	if err := r.open(r.held, -1); err != nil {
		return err
	}
	held := r.held
	r.held = r.held[:0]
	if len(held) == 0 {
		return nil
	}
	return r.pieces(string(held))
}

// open sends the head, if it was not. The length is of the whole body, below 0 where it is not known.
func (r *response) open(start []byte, length int) error {
	if r.sent {
		return nil
	}
	if r.status == 0 {
		r.fix(http.StatusOK)
	}
	r.length = -1
	if said := r.fixed.Get("Content-Length"); said != "" && length < 0 {
		count, err := strconv.ParseInt(said, 10, 64)
		if err != nil || count < 0 {
			r.fixed.Del("Content-Length")
		} else {
			r.length = count
		}
	}
	if length >= 0 {
		r.fixed.Set("Content-Length", strconv.Itoa(length))
		r.length = int64(length)
	}
	head, err := headBlock(r.fixed, r.status, start, true)
	if err != nil {
		return err
	}
	r.call.takeTime()
	r.sent = true
	r.call.server.out.Send(wire.Head(r.call.id, r.status, len(head)), head, "")
	return nil
}

func (r *response) pieces(data string) error {
	if r.length >= 0 && r.out+int64(len(data)) > r.length {
		return http.ErrContentLength
	}
	for data != "" {
		piece := data
		if len(piece) > pieceMost {
			piece = piece[:pieceMost]
		}
		if !r.call.mayWrite() {
			return context.Canceled
		}
		r.call.server.out.Send(wire.Chunk(r.call.id, len(piece)), "", piece)
		r.out += int64(len(piece))
		data = data[len(piece):]
	}
	return nil
}
