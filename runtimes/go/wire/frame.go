package wire

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Frame is a frame from the loader. It has the fields of every type (PROTOCOL 4.1, 5 and 6).
type Frame struct {
	Type       string
	ID         uint64
	Method     string
	Path       string
	Query      string
	Address    string
	Deadline   int64 // in ms since 1970
	EventID    string
	EventType  string
	EventTime  string
	Namespace  string
	Extensions map[string]string
	Head       string
	Body       string // the request's body
	Data       string // the event's data: the body, or the part of it that an envelope holds (PROTOCOL 4.11)

	headLength, bodyLength     int
	dataLength, envelopeLength int
	lastAddress                string // of an earlier frame: most calls come from one proxy
}

// The limits of PROTOCOL 2.3.
const (
	maxLineBytes = 1 << 20
	maxHeadBytes = 1 << 20
	maxBodyBytes = 1 << 30
)

// parse reads a line. It returns an error if the line breaks PROTOCOL 2.
func (f *Frame) parse(line []byte) error {
	*f = Frame{lastAddress: f.lastAddress}
	if !f.parsePlain(line) {
		*f = Frame{}
		if err := f.parseJSON(line); err != nil {
			return err
		}
	}
	if f.Type == "" {
		return errors.New("a line without a type")
	}
	if f.headLength > maxHeadBytes || f.bodyLength > maxBodyBytes {
		return fmt.Errorf("a head of %d bytes and a body of %d", f.headLength, f.bodyLength)
	}
	return nil
}

// setBody sets the body, and the data in it.
func (f *Frame) setBody(body string) {
	f.Body, f.Data = body, body
	if f.envelopeLength > 0 {
		f.Data, f.Body = body[:f.dataLength], body[len(body)-f.envelopeLength:]
	}
}

// parsePlain is the fast path for a flat object of unescaped strings, counts and `true`, without
// spaces. It reports false if the line needs encoding/json.
func (f *Frame) parsePlain(line []byte) bool {
	if len(line) < 2 || line[0] != '{' {
		return false
	}
	for at := 1; ; at++ {
		key, next := plainString(line, at)
		if next < 0 || next+1 >= len(line) || line[next] != ':' {
			return false
		}
		at = next + 1
		switch c := line[at]; {
		case c == '"':
			value, next := plainString(line, at)
			if next < 0 {
				return false
			}
			f.setString(key, value)
			at = next
		case c >= '0' && c <= '9':
			value, next := plainCount(line, at)
			if next < 0 {
				return false
			}
			f.setCount(key, value)
			at = next
		case c == 't' && at+4 < len(line) && string(line[at:at+4]) == "true":
			at += 4 // no field that this worker reads is a boolean
		default:
			return false
		}
		if at == len(line)-1 && line[at] == '}' {
			return true
		}
		if at >= len(line) || line[at] != ',' {
			return false
		}
	}
}

// plainString returns the text between the quote at `at` and the next quote, and the position after
// that quote. The position is negative if the text is not plain ASCII without escapes.
func plainString(line []byte, at int) ([]byte, int) {
	if at >= len(line) || line[at] != '"' {
		return nil, -1
	}
	at++
	for end := at; end < len(line); end++ {
		switch c := line[end]; {
		case c == '"':
			return line[at:end], end + 1
		case c == '\\' || c < ' ' || c > '~':
			return nil, -1
		}
	}
	return nil, -1
}

// plainCount returns the count at `at` and the position after it, which is negative if the number
// is above 2^53 − 1 (16 digits) or has a leading zero.
func plainCount(line []byte, at int) (uint64, int) {
	var value uint64
	end := at
	for ; end < len(line) && line[end] >= '0' && line[end] <= '9'; end++ {
		value = value*10 + uint64(line[end]-'0')
	}
	if digits := end - at; digits > 16 || digits > 1 && line[at] == '0' || value > 1<<53-1 {
		return 0, -1
	}
	return value, end
}

func (f *Frame) setString(key, value []byte) {
	switch string(key) {
	case "type":
		f.Type = common(value)
	case "method":
		f.Method = common(value)
	case "path":
		f.Path = common(value)
	case "query":
		f.Query = string(value)
	case "address":
		if string(value) != f.lastAddress {
			f.lastAddress = string(value)
		}
		f.Address = f.lastAddress
	case "event-id":
		f.EventID = string(value)
	case "event-type":
		f.EventType = string(value)
	case "event-time":
		f.EventTime = string(value)
	case "event-namespace":
		f.Namespace = string(value)
	}
}

func (f *Frame) setCount(key []byte, value uint64) {
	switch string(key) {
	case "id":
		f.ID = value
	case "deadline":
		f.Deadline = int64(value)
	case "head":
		f.headLength = int(value)
	case "body":
		f.bodyLength = int(value)
	case "data":
		f.dataLength = int(value)
	case "envelope":
		f.envelopeLength = int(value)
	}
}

// common avoids an allocation for the values that most calls have.
func common(text []byte) string {
	switch string(text) {
	case "call":
		return "call"
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "/":
		return "/"
	}
	return string(text)
}

func (f *Frame) parseJSON(line []byte) error {
	// Into a map: for a struct, encoding/json would accept BODY as body.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return err
	}
	var head, body, data, envelope, id, deadline uint64
	for key, to := range map[string]interface{}{
		"type": &f.Type, "method": &f.Method, "path": &f.Path, "query": &f.Query, "address": &f.Address,
		"event-id": &f.EventID, "event-type": &f.EventType, "event-time": &f.EventTime,
		"event-namespace": &f.Namespace, "extensions": &f.Extensions,
		"head": &head, "body": &body, "data": &data, "envelope": &envelope, "id": &id, "deadline": &deadline,
	} {
		if value, present := fields[key]; present {
			if err := json.Unmarshal(value, to); err != nil {
				return fmt.Errorf("%s: %v", key, err)
			}
		}
	}
	if head > maxHeadBytes || body > maxBodyBytes {
		return fmt.Errorf("a head of %d bytes and a body of %d", head, body)
	}
	f.headLength, f.bodyLength, f.ID, f.Deadline = int(head), int(body), id, int64(deadline)
	f.dataLength, f.envelopeLength = int(data), int(envelope)
	return nil
}
