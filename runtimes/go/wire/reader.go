package wire

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// minBufferBytes is the size of the read buffer: room for about a hundred calls.
const minBufferBytes = 64 << 10

// Reader reads frames. Only one goroutine may use it at a time.
type Reader struct {
	// WithHeads is false if no call looks at its head, which then is not copied.
	WithHeads bool
	// BeforeWait is called when every complete frame was returned, before the next read blocks.
	BeforeWait func()

	buffer     []byte
	start, end int
}

// Next fills f with the next frame that has arrived completely, and reports whether there was one.
// The frame shares no memory with the reader.
func (r *Reader) Next(f *Frame) bool {
	line := bytes.IndexByte(r.buffer[r.start:r.end], '\n')
	if line < 0 {
		if r.end-r.start > maxLineBytes {
			exitBroken("a line over 1 MiB")
		}
		return false
	}
	if err := f.parse(r.buffer[r.start : r.start+line]); err != nil {
		exitBroken(fmt.Sprintf("%v: %.200q", err, r.buffer[r.start:r.start+line]))
	}
	head := r.start + line + 1
	body := head + f.headLength
	next := body + f.bodyLength
	if next > r.end {
		if next-r.start < len(r.buffer) {
			return false // the buffer can hold the rest
		}
		text := r.readLarge(head, f.headLength+f.bodyLength)
		f.Head = text[:f.headLength]
		f.setBody(text[f.headLength:])
		return true
	}
	r.start = next
	if r.WithHeads {
		text := string(r.buffer[head:next]) // one allocation for both
		f.Head = text[:f.headLength]
		f.setBody(text[f.headLength:])
	} else {
		f.setBody(string(r.buffer[body:next]))
	}
	return true
}

// readLarge reads a head and a body that do not fit into the buffer, without a second copy.
func (r *Reader) readLarge(from, length int) string {
	r.BeforeWait()
	all := make([]byte, length)
	for filled := copy(all, r.buffer[from:r.end]); filled < len(all); {
		filled += read(all[filled:])
	}
	r.start, r.end = 0, 0
	return *(*string)(unsafe.Pointer(&all)) // safe: nothing writes to these bytes any more
}

// Fill blocks until more bytes have arrived.
func (r *Reader) Fill() {
	r.BeforeWait()
	if r.start == r.end {
		r.start, r.end = 0, 0
		if len(r.buffer) != minBufferBytes {
			r.buffer = make([]byte, minBufferBytes)
		}
	} else if r.start > 0 {
		r.end = copy(r.buffer, r.buffer[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buffer) {
		r.buffer = append(r.buffer, make([]byte, len(r.buffer))...)
	}
	r.end += read(r.buffer[r.end:])
}

func read(into []byte) int {
	for {
		count, err := syscall.Read(fd, into)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || count == 0 {
			os.Exit(0) // end of file: the loader has ended (PROTOCOL 1.3)
		}
		return count
	}
}

// exitBroken ends the worker after a frame that breaks the protocol (PROTOCOL 2.7).
func exitBroken(reason string) {
	fmt.Fprintf(os.Stderr, "the loader sent a frame that breaks the protocol: %s\n", reason)
	os.Exit(70) // EX_SOFTWARE of sysexits.h
}
