package worker

import (
	"fmt"
	"net/http"
	"sync"
)

// heldMost is how much is written before it is sent without being flushed, in bytes.
const heldMost = 64 << 10

// response is Event.Extensions.Response. What is written is held until the handler returns, flushes, or has written much;
// then the answer is a stream.
type response struct {
	call *call

	mutex  sync.Mutex
	header http.Header
	fixed  http.Header // the headers as they were when the status was written
	status int         // 0: not written
	held   []byte
	sent   bool // the head is out: the answer is a stream
	length int64
	out    int64 // bytes sent of `length`, which is below 0 where the function does not say
	over   bool
}

// Header gives the headers to set, as http.ResponseWriter has it.
func (r *response) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

// WriteHeader sets the status; headers that are set later do not count.
func (r *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch {
	case r.over:
	case r.status != 0:
		r.call.log("http: superfluous response.WriteHeader call, with the status %d after %d\n", status, r.status)
	case status >= 200:
		r.fix(status)
	}
	// Of 1xx the wire knows nothing: they are no answers.
}

func (r *response) fix(status int) {
	r.status = status
	r.fixed = r.Header().Clone()
}

// Write adds to the body.
func (r *response) Write(data []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.over {
		return 0, http.ErrHandlerTimeout
	}
	if r.status == 0 {
		r.fix(http.StatusOK)
	}
	if bodiless(r.status) {
		return 0, http.ErrBodyNotAllowed
	}
	// What is held is copied: the writer may use its memory again.
	if len(r.held)+len(data) <= heldMost {
		r.held = append(r.held, data...)
		return len(data), nil
	}
	if err := r.flush(); err != nil {
		return 0, err
	}
	if len(data) <= heldMost {
		r.held = append(r.held, data...)
		return len(data), nil
	}
	if err := r.pieces(string(data)); err != nil {
		return 0, err
	}
	return len(data), nil
}

// WriteString is Write.
func (r *response) WriteString(text string) (int, error) { return r.Write(bytesOf(text)) }

// Flush sends what was written, and makes the answer a stream.
func (r *response) Flush() { r.FlushError() }

// FlushError is Flush for http.ResponseController.
func (r *response) FlushError() error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.over {
		return http.ErrHandlerTimeout
	}
	return r.flush()
}

// CloseNotify is http.CloseNotifier, which some routers still ask for.
func (r *response) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	ended := r.call.context.Done()
	go func() {
		<-ended
		gone <- true
	}()
	return gone
}

// abort is for a handler that did not return.
func (r *response) abort() {
	r.mutex.Lock()
	r.over = true
	r.mutex.Unlock()
}
