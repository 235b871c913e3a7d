package worker

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/kubeless/kubeless/wire"
)

// body is a request's body: it holds what the event's data is, and can be read all the same.
type body struct{ strings.Reader }

func (b *body) Close() error { return nil }

// newRequest makes what net/http's server would have made of the request.
func newRequest(c *call, frame *wire.Frame) *http.Request {
	request := http.Request{
		Method:        frame.Method,
		URL:           address(frame.Path, frame.Query),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        headers(frame.Head),
		ContentLength: int64(len(frame.Body)),
		Body:          http.NoBody,
		RequestURI:    frame.Path,
	}
	if frame.Query != "" {
		request.RequestURI += "?" + frame.Query
	}
	if frame.Body != "" {
		c.body.Reset(frame.Body)
		request.Body = &c.body
	}
	// As in any server: the host is a field, and how the body came is settled.
	request.Host = request.Header.Get("Host")
	delete(request.Header, "Host")
	delete(request.Header, "Transfer-Encoding")
	return request.WithContext(&c.context)
}

func address(path, query string) *url.URL {
	if strings.IndexByte(path, '%') < 0 && strings.HasPrefix(path, "/") {
		return &url.URL{Path: path, RawQuery: query}
	}
	parsed, err := url.ParseRequestURI(path)
	if err != nil { // `%zz`; the function may make sense of it
		parsed = &url.URL{Path: path}
	}
	parsed.RawQuery = query
	return parsed
}

// headers reads a head block (PROTOCOL 2.5). The values are parts of it.
func headers(block string) http.Header {
	count := strings.Count(block, "\n")
	header := make(http.Header, count)
	values := make([]string, 0, count)
	for block != "" {
		line := block
		if end := strings.IndexByte(block, '\n'); end >= 0 {
			line, block = block[:end], block[end+1:]
		} else {
			block = ""
		}
		colon := strings.IndexByte(line, ':')
		if colon <= 0 {
			continue
		}
		name := http.CanonicalHeaderKey(line[:colon])
		value := strings.Trim(line[colon+1:], " \t\r")
		if before, again := header[name]; again {
			header[name] = append(before, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return header
}
