package wire

import (
	"os"
	"strconv"
	"sync"
	"syscall"
	"unicode/utf8"
)

const (
	// crowded is how many bytes may wait before a stream has to.
	crowded = 1 << 20
	// keepMost is the largest room kept for later frames, in bytes.
	keepMost = 256 << 10
)

// Writer puts frames on the wire, whole ones (PROTOCOL 2.4), from any goroutine.
type Writer struct {
	mutex   sync.Mutex
	written sync.Cond
	waiting []byte // frames that are ready
	spare   []byte
	writing bool
}

// NewWriter gives the wire's only writer.
func NewWriter() *Writer {
	w := &Writer{}
	w.written.L = &w.mutex
	return w
}

// Add makes a frame ready that Flush sends, with all the others of the turn, in one write.
func (w *Writer) Add(line func(to []byte) []byte, head, body string) {
	w.mutex.Lock()
	w.waiting = append(append(line(w.waiting), head...), body...)
	w.mutex.Unlock()
}

// AddResult is Add for the frame that nearly every call ends with.
func (w *Writer) AddResult(id uint64, status int, head, body string) {
	w.mutex.Lock()
	to := append(w.waiting, `{"type":"result","id":`...)
	to = strconv.AppendUint(to, id, 10)
	to = appendStatus(to, status)
	to = appendLengths(to, len(head), len(body))
	w.waiting = append(append(to, head...), body...)
	w.mutex.Unlock()
}

// Flush sends what is ready. Where somebody is at it, that one takes it along.
func (w *Writer) Flush() {
	w.mutex.Lock()
	if !w.writing {
		w.writing = true
		for len(w.waiting) > 0 {
			frames := w.waiting
			w.waiting = w.spare
			w.mutex.Unlock()
			write(frames)
			w.mutex.Lock()
			w.spare = nil
			if cap(frames) <= keepMost {
				w.spare = frames[:0]
			}
			w.written.Broadcast()
		}
		w.writing = false
		w.written.Broadcast()
	}
	w.mutex.Unlock()
}

// Ready says whether frames wait to be sent.
func (w *Writer) Ready() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return len(w.waiting) > 0 && !w.writing
}

// Send adds a frame and flushes. It is for streams, and waits while the wire is crowded.
func (w *Writer) Send(line func(to []byte) []byte, head, body string) {
	w.Add(line, head, body)
	w.Flush()
	w.mutex.Lock()
	for len(w.waiting) > crowded {
		w.written.Wait()
	}
	w.mutex.Unlock()
}

// Drain returns when all is sent.
func (w *Writer) Drain() {
	w.Flush()
	w.mutex.Lock()
	for w.writing || len(w.waiting) > 0 {
		w.written.Wait()
	}
	w.mutex.Unlock()
}

func write(frames []byte) {
	for len(frames) > 0 {
		count, err := syscall.Write(fd, frames)
		if err != nil && err != syscall.EINTR {
			os.Exit(0) // the loader is gone
		}
		if count > 0 {
			frames = frames[count:]
		}
	}
}

// Head is the line of the frame that begins an answer in pieces (PROTOCOL 4.5).
func Head(id uint64, status, head int) func([]byte) []byte {
	return func(to []byte) []byte {
		return appendLengths(appendStatus(begin(to, "head", id), status), head, 0)
	}
}

// Chunk is the line of a piece.
func Chunk(id uint64, body int) func([]byte) []byte {
	return func(to []byte) []byte { return appendLengths(begin(to, "chunk", id), 0, body) }
}

// End is the line of the frame after the last piece.
func End(id uint64) func([]byte) []byte {
	return func(to []byte) []byte { return appendLengths(begin(to, "end", id), 0, 0) }
}

// textMost is how much of a text goes into a line, in bytes: with every one of them escaped, two such texts fit into 1 MiB.
const textMost = 80 << 10

// Error is the line of a call that went wrong (PROTOCOL 4.6).
func Error(id uint64, code, message, stack string) func([]byte) []byte {
	return func(to []byte) []byte {
		to = append(begin(to, "error", id), `,"code":`...)
		to = append(appendQuoted(to, code), `,"message":`...)
		to = appendQuoted(to, message)
		if stack != "" {
			to = appendQuoted(append(to, `,"stack":`...), stack)
		}
		return append(to, "}\n"...)
	}
}

// Log is the line of what a call has printed (PROTOCOL 7.1).
func Log(id uint64, stream string, body int) func([]byte) []byte {
	return func(to []byte) []byte {
		to = append(begin(to, "log", id), `,"stream":`...)
		return appendLengths(appendQuoted(to, stream), 0, body)
	}
}

// Ready is the line that says what the worker can do (PROTOCOL 3.2).
func Ready(handler string, concurrency int) func([]byte) []byte {
	return func(to []byte) []byte {
		to = appendQuoted(append(to, `{"type":"ready","wire":1,"handler":`...), handler)
		to = strconv.AppendInt(append(to, `,"concurrency":`...), int64(concurrency), 10)
		return append(to, "}\n"...)
	}
}

// Failed is the line of a worker that has no handler to call.
func Failed(code, message string, handlers []string) func([]byte) []byte {
	return func(to []byte) []byte {
		to = appendQuoted(append(to, `{"type":"failed","code":`...), code)
		to = appendQuoted(append(to, `,"message":`...), message)
		if handlers != nil {
			to = append(to, `,"handlers":[`...)
			for index, name := range handlers {
				if index > 0 {
					to = append(to, ',')
				}
				to = appendQuoted(to, name)
			}
			to = append(to, ']')
		}
		return append(to, "}\n"...)
	}
}

func begin(to []byte, kind string, id uint64) []byte {
	to = append(append(append(to, `{"type":"`...), kind...), `","id":`...)
	return strconv.AppendUint(to, id, 10)
}

func appendStatus(to []byte, status int) []byte {
	if status == 200 {
		return to
	}
	return strconv.AppendInt(append(to, `,"status":`...), int64(status), 10)
}

// appendLengths ends a line.
func appendLengths(to []byte, head, body int) []byte {
	if head > 0 {
		to = strconv.AppendInt(append(to, `,"head":`...), int64(head), 10)
	}
	if body > 0 {
		to = strconv.AppendInt(append(to, `,"body":`...), int64(body), 10)
	}
	return append(to, "}\n"...)
}

// appendQuoted writes a text as JSON; what is not UTF-8 becomes U+FFFD.
func appendQuoted(to []byte, text string) []byte {
	if len(text) > textMost {
		text = text[:textMost] + " …"
	}
	const digits = "0123456789abcdef"
	to = append(to, '"')
	for at := 0; at < len(text); {
		c := text[at]
		switch {
		case c == '"' || c == '\\':
			to = append(to, '\\', c)
		case c < ' ' || c == 0x7f:
			to = append(to, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			to = append(to, c)
		default:
			char, size := utf8.DecodeRuneInString(text[at:])
			to = utf8.AppendRune(to, char)
			at += size
			continue
		}
		at++
	}
	return append(to, '"')
}
