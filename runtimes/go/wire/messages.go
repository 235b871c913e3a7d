package wire

import (
	"strconv"
	"unicode/utf8"
)

// maxTextBytes bounds a message or a stack: with every byte escaped, two of them fit into a line of
// 1 MiB (PROTOCOL 2.3).
const maxTextBytes = 80 << 10

// Message is a frame from the worker to the loader.
type Message interface {
	// appendTo appends the whole frame: line, head and body.
	appendTo(to []byte) []byte
}

// Ready begins the service of a worker (PROTOCOL 3.2).
type Ready struct {
	Handler     string
	Concurrency int
}

// Failed has the reason why the worker cannot serve (PROTOCOL 3.2).
type Failed struct {
	Code, Message string
	// Handlers is nil unless the code is HANDLER_NOT_FOUND.
	Handlers []string
}

// Result is a whole answer (PROTOCOL 4.4).
type Result struct {
	ID         uint64
	Status     int
	Head, Body string
}

// Head begins an answer that is sent in parts (PROTOCOL 4.5).
type Head struct {
	ID     uint64
	Status int
	Head   string
}

// Chunk is a part of a body.
type Chunk struct {
	ID   uint64
	Body string
}

// End ends an answer that was sent in parts.
type End struct{ ID uint64 }

// Error ends a call that failed (PROTOCOL 4.6).
type Error struct {
	ID                   uint64
	Code, Message, Stack string
}

// Log is output of a call (PROTOCOL 7.1).
type Log struct {
	ID           uint64
	Stream, Body string
}

func (m Ready) appendTo(to []byte) []byte {
	to = appendQuoted(append(to, `{"type":"ready","wire":1,"handler":`...), m.Handler)
	to = strconv.AppendInt(append(to, `,"concurrency":`...), int64(m.Concurrency), 10)
	return append(to, `,"envelopes":true}`+"\n"...)
}

func (m Failed) appendTo(to []byte) []byte {
	to = appendQuoted(append(to, `{"type":"failed","code":`...), m.Code)
	to = appendQuoted(append(to, `,"message":`...), m.Message)
	if m.Handlers != nil {
		to = append(to, `,"handlers":[`...)
		for index, name := range m.Handlers {
			if index > 0 {
				to = append(to, ',')
			}
			to = appendQuoted(to, name)
		}
		to = append(to, ']')
	}
	return append(to, "}\n"...)
}

func (m Result) appendTo(to []byte) []byte {
	to = appendStatus(appendType(to, "result", m.ID), m.Status)
	return append(append(appendLengths(to, len(m.Head), len(m.Body)), m.Head...), m.Body...)
}

func (m Head) appendTo(to []byte) []byte {
	to = appendStatus(appendType(to, "head", m.ID), m.Status)
	return append(appendLengths(to, len(m.Head), 0), m.Head...)
}

func (m Chunk) appendTo(to []byte) []byte {
	return append(appendLengths(appendType(to, "chunk", m.ID), 0, len(m.Body)), m.Body...)
}

func (m End) appendTo(to []byte) []byte {
	return appendLengths(appendType(to, "end", m.ID), 0, 0)
}

func (m Error) appendTo(to []byte) []byte {
	to = appendQuoted(append(appendType(to, "error", m.ID), `,"code":`...), m.Code)
	to = appendQuoted(append(to, `,"message":`...), m.Message)
	if m.Stack != "" {
		to = appendQuoted(append(to, `,"stack":`...), m.Stack)
	}
	return append(to, "}\n"...)
}

func (m Log) appendTo(to []byte) []byte {
	to = appendQuoted(append(appendType(to, "log", m.ID), `,"stream":`...), m.Stream)
	return append(appendLengths(to, 0, len(m.Body)), m.Body...)
}

func appendType(to []byte, kind string, id uint64) []byte {
	to = append(append(append(to, `{"type":"`...), kind...), `","id":`...)
	return strconv.AppendUint(to, id, 10)
}

func appendStatus(to []byte, status int) []byte {
	if status == 200 {
		return to
	}
	return strconv.AppendInt(append(to, `,"status":`...), int64(status), 10)
}

// appendLengths ends the line.
func appendLengths(to []byte, head, body int) []byte {
	if head > 0 {
		to = strconv.AppendInt(append(to, `,"head":`...), int64(head), 10)
	}
	if body > 0 {
		to = strconv.AppendInt(append(to, `,"body":`...), int64(body), 10)
	}
	return append(to, "}\n"...)
}

// appendQuoted appends text as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendQuoted(to []byte, text string) []byte {
	if len(text) > maxTextBytes {
		text = text[:maxTextBytes] + " …"
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
