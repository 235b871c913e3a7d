package wire

import (
	"encoding/json"
	"fmt"
)

// Frame is what the loader sends: the fields of any type of frame (PROTOCOL 4.1, 5, 6).
type Frame struct {
	Type       string
	ID         uint64
	Method     string
	Path       string
	Query      string
	Deadline   int64
	EventID    string
	EventType  string
	EventTime  string
	Namespace  string
	Extensions map[string]string
	JSON       bool
	Head       string
	Body       string

	headLength, bodyLength int
}

// PROTOCOL 2.3, in bytes
const (
	lineMost = 1 << 20
	headMost = 1 << 20
	bodyMost = 1 << 30
)

// parse reads a line. The loader's lines are plain, as a rule; what is not goes through encoding/json.
func (f *Frame) parse(line []byte) error {
	*f = Frame{}
	if !f.parsePlain(line) {
		*f = Frame{}
		if err := f.parseAny(line); err != nil {
			return err
		}
	}
	if f.Type == "" {
		return fmt.Errorf("a line without a type")
	}
	if f.headLength > headMost || f.bodyLength > bodyMost {
		return fmt.Errorf("a head of %d bytes and a body of %d", f.headLength, f.bodyLength)
	}
	return nil
}

// parsePlain reads an object of texts without escapes, of counts and of true, without spaces. False: it is none.
func (f *Frame) parsePlain(line []byte) bool {
	if len(line) < 2 || line[0] != '{' {
		return false
	}
	for at := 1; ; at++ {
		key, next := plainText(line, at)
		if next < 0 || next+1 >= len(line) || line[next] != ':' {
			return false
		}
		at = next + 1
		switch c := line[at]; {
		case c == '"':
			value, next := plainText(line, at)
			if next < 0 {
				return false
			}
			f.setText(key, value)
			at = next
		case c >= '0' && c <= '9':
			value, next := plainCount(line, at)
			if next < 0 {
				return false
			}
			f.setCount(key, value)
			at = next
		case c == 't' && at+4 < len(line) && string(line[at:at+4]) == "true":
			if string(key) == "json" {
				f.JSON = true
			}
			at += 4
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

// plainText gives what stands between the quote at `at` and the next one, and the place after that; or a place below 0.
func plainText(line []byte, at int) ([]byte, int) {
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

// plainCount reads at most 16 digits, which 2^53 − 1 has.
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

func (f *Frame) setText(key, value []byte) {
	switch string(key) {
	case "type":
		f.Type = known(value)
	case "method":
		f.Method = known(value)
	case "path":
		f.Path = known(value)
	case "query":
		f.Query = string(value)
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
	}
}

// known spares most calls memory for words that come all the time.
func known(text []byte) string {
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

func (f *Frame) parseAny(line []byte) error {
	// Not into a struct: encoding/json would take BODY for body.
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return err
	}
	var head, body, id, deadline uint64
	for key, to := range map[string]interface{}{
		"type": &f.Type, "method": &f.Method, "path": &f.Path, "query": &f.Query,
		"event-id": &f.EventID, "event-type": &f.EventType, "event-time": &f.EventTime, "event-namespace": &f.Namespace,
		"extensions": &f.Extensions, "json": &f.JSON,
		"head": &head, "body": &body, "id": &id, "deadline": &deadline,
	} {
		if value, there := fields[key]; there {
			if err := json.Unmarshal(value, to); err != nil {
				return fmt.Errorf("%s: %v", key, err)
			}
		}
	}
	if head > headMost || body > bodyMost {
		return fmt.Errorf("a head of %d bytes and a body of %d", head, body)
	}
	f.headLength, f.bodyLength, f.ID, f.Deadline = int(head), int(body), id, int64(deadline)
	return nil
}
