package wire

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// roomLeast is what is read at once in bytes: a hundred calls.
const roomLeast = 64 << 10

// Reader takes frames off the wire. It belongs to one goroutine at a time.
type Reader struct {
	// WithHeads is false where nobody will look at the calls' heads.
	WithHeads bool
	// BeforeWait is called when nothing more can be done with what has come.
	BeforeWait func()

	room       []byte
	start, end int
}

// Next gives the next frame that is whole by now, if there is one. Nothing of it shares memory with the reader.
func (r *Reader) Next(f *Frame) bool {
	for {
		line := bytes.IndexByte(r.room[r.start:r.end], '\n')
		if line < 0 {
			if r.end-r.start > lineMost {
				broken("a line over 1 MiB")
			}
			return false
		}
		if err := f.parse(r.room[r.start : r.start+line]); err != nil {
			broken(fmt.Sprintf("%v: %.200q", err, r.room[r.start:r.start+line]))
		}
		head := r.start + line + 1
		body := head + f.headLength
		after := body + f.bodyLength
		if after > r.end {
			if after-r.start < len(r.room) {
				return false // there is room for it where it is, or will be
			}
			f.Head, f.Body = r.large(head, f.headLength, f.bodyLength)
			return true
		}
		r.start = after
		// One piece of memory for both.
		if r.WithHeads {
			text := string(r.room[head:after])
			f.Head, f.Body = text[:f.headLength], text[f.headLength:]
		} else {
			f.Body = string(r.room[body:after])
		}
		return true
	}
}

// large reads head and body where they will stay.
func (r *Reader) large(from, headLength, bodyLength int) (head, body string) {
	r.BeforeWait()
	whole := make([]byte, headLength+bodyLength)
	for filled := copy(whole, r.room[from:r.end]); filled < len(whole); {
		filled += read(whole[filled:])
	}
	r.start, r.end = 0, 0
	text := *(*string)(unsafe.Pointer(&whole)) // nobody writes to it any more
	return text[:headLength], text[headLength:]
}

// Fill waits for bytes.
func (r *Reader) Fill() {
	r.BeforeWait()
	if r.start == r.end {
		r.start, r.end = 0, 0
		if len(r.room) != roomLeast {
			r.room = make([]byte, roomLeast)
		}
	} else if r.start > 0 {
		r.end = copy(r.room, r.room[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.room) {
		r.room = append(r.room, make([]byte, len(r.room))...)
	}
	r.end += read(r.room[r.end:])
}

func read(into []byte) int {
	for {
		count, err := syscall.Read(fd, into)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || count == 0 {
			os.Exit(0) // PROTOCOL 1.3
		}
		return count
	}
}

// broken ends the worker, as PROTOCOL 2.7 says.
func broken(what string) {
	fmt.Fprintf(os.Stderr, "the loader sent what is no frame: %s\n", what)
	os.Exit(70) // EX_SOFTWARE of sysexits.h
}
