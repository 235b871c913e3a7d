package worker

import (
	"fmt"
	"net/http"
	"sync"
)

// maxHeldBytes is how much a handler may write before the answer becomes a stream without Flush.
const maxHeldBytes = 64 << 10

// response is Event.Extensions.Response. It holds what is written until the handler returns,
// flushes, or has written maxHeldBytes. Then the answer is a stream.
type response struct {
	call *call

	mutex    sync.Mutex
	header   http.Header
	fixed    http.Header // the headers at the time of WriteHeader
	status   int         // 0: not written
	held     []byte
	headSent bool  // the answer is a stream
	length   int64 // the stream's Content-Length; -1: none
	sent     int64 // bytes of the stream's body
	closed   bool
}

// Header returns the headers, as http.ResponseWriter defines.
func (r *response) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

// WriteHeader sets the status. Later changes of the headers have no effect. 1xx statuses are
// ignored: the wire has none.
func (r *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch {
	case r.closed:
	case r.status != 0:
		r.call.logError("http: superfluous response.WriteHeader call, with the status %d after %d\n", status, r.status)
	case status >= 200:
		r.fix(status)
	}
}

func (r *response) fix(status int) {
	r.status = status
	r.fixed = r.Header().Clone()
}

// Write appends to the body.
func (r *response) Write(data []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.closed {
		return 0, http.ErrHandlerTimeout
	}
	if r.status == 0 {
		r.fix(http.StatusOK)
	}
	if !mayHaveBody(r.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if len(r.held)+len(data) > maxHeldBytes {
		if err := r.flush(); err != nil {
			return 0, err
		}
	}
	if len(data) > maxHeldBytes {
		if err := r.sendChunks(string(data)); err != nil {
			return 0, err
		}
		return len(data), nil
	}
	// Copied: the caller may reuse its buffer.
	r.held = append(r.held, data...)
	return len(data), nil
}

// WriteString is Write for a string.
func (r *response) WriteString(text string) (int, error) { return r.Write(bytesOf(text)) }

// Flush sends what was written and makes the answer a stream.
func (r *response) Flush() { r.FlushError() }

// FlushError is Flush for http.ResponseController.
func (r *response) FlushError() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.closed {
		return http.ErrHandlerTimeout
	}
	return r.flush()
}

// CloseNotify is http.CloseNotifier, which some routers still use.
func (r *response) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	done := r.call.context.Done()
	go func() {
		<-done
		gone <- true
	}()
	return gone
}

// close makes later writes fail, for a handler that did not return.
func (r *response) close() {
	r.mutex.Lock()
	r.closed = true
	r.mutex.Unlock()
}
