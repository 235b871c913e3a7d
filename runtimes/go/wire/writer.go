package wire

import (
	"os"
	"sync"
	"syscall"
)

const (
	// maxPendingBytes is how much may be pending before a stream waits.
	maxPendingBytes = 1 << 20
	// maxSpareBytes is the largest buffer that is kept for later frames.
	maxSpareBytes = 256 << 10
)

// Writer writes whole frames (PROTOCOL 2.4). Any goroutine may use it.
type Writer struct {
	mutex   sync.Mutex
	written sync.Cond
	pending []byte // frames that Flush will write
	spare   []byte
	writing bool
}

// NewWriter returns the writer of this process's wire.
func NewWriter() *Writer {
	w := &Writer{}
	w.written.L = &w.mutex
	return w
}

// Add makes a frame pending. Flush writes all pending frames with one system call.
func (w *Writer) Add(message Message) {
	w.mutex.Lock()
	w.pending = message.appendTo(w.pending)
	w.mutex.Unlock()
}

// AddResult is Add for the frame that ends nearly every call, without an allocation for the
// interface.
func (w *Writer) AddResult(result Result) {
	w.mutex.Lock()
	w.pending = result.appendTo(w.pending)
	w.mutex.Unlock()
}

// Flush writes the pending frames. If another goroutine is already flushing, that one writes these
// frames too.
func (w *Writer) Flush() {
	w.mutex.Lock()
	if !w.writing {
		w.writing = true
		for len(w.pending) > 0 {
			frames := w.pending
			w.pending = w.spare
			w.mutex.Unlock()
			write(frames)
			w.mutex.Lock()
			w.spare = nil
			if cap(frames) <= maxSpareBytes {
				w.spare = frames[:0]
			}
			w.written.Broadcast()
		}
		w.writing = false
		w.written.Broadcast()
	}
	w.mutex.Unlock()
}

// HasPending reports whether frames are pending that no goroutine is writing.
func (w *Writer) HasPending() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return len(w.pending) > 0 && !w.writing
}

// Send adds a frame of a stream and flushes. It blocks while much is pending.
func (w *Writer) Send(message Message) {
	w.Add(message)
	w.Flush()
	w.mutex.Lock()
	for len(w.pending) > maxPendingBytes {
		w.written.Wait()
	}
	w.mutex.Unlock()
}

// Drain returns when every frame was written.
func (w *Writer) Drain() {
	w.Flush()
	w.mutex.Lock()
	for w.writing || len(w.pending) > 0 {
		w.written.Wait()
	}
	w.mutex.Unlock()
}

func write(frames []byte) {
	for len(frames) > 0 {
		count, err := syscall.Write(fd, frames)
		if err != nil && err != syscall.EINTR {
			os.Exit(0) // the loader has ended
		}
		if count > 0 {
			frames = frames[count:]
		}
	}
}
