package worker

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/kubeless/kubeless/wire"
)

// body is a request body.
type body struct{ strings.Reader }

func (b *body) Close() error { return nil }

// newRequest returns the request as net/http's server would have made it.
func newRequest(c *call, frame *wire.Frame) *http.Request {
	request := http.Request{
		Method:        frame.Method,
		URL:           urlOf(frame.Path, frame.Query),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        headersOf(frame.Head),
		ContentLength: int64(len(frame.Body)),
		Body:          http.NoBody,
		RequestURI:    frame.Path,
		RemoteAddr:    remoteAddr(frame.Address),
	}
	if frame.Query != "" {
		request.RequestURI += "?" + frame.Query
	}
	if frame.Body != "" {
		c.body.Reset(frame.Body)
		request.Body = &c.body
	}
	// As in net/http's server: the host is a field, and the body's transfer encoding is removed.
	request.Host = request.Header.Get("Host")
	delete(request.Header, "Host")
	delete(request.Header, "Transfer-Encoding")
	return request.WithContext(&c.context)
}

// remoteAddr returns "IP:port", which net.SplitHostPort accepts. The wire has no port and not
// always an address; both become 0.
func remoteAddr(address string) string {
	if address == "" {
		address = "0.0.0.0"
	}
	return net.JoinHostPort(address, "0")
}

func urlOf(path, query string) *url.URL {
	result := &url.URL{Path: path, RawQuery: query}
	if strings.IndexByte(path, '%') >= 0 {
		result.Path, _ = url.PathUnescape(path) // no error: the loader refuses an invalid escape
		if result.EscapedPath() != path {
			result.RawPath = path
		}
	}
	return result
}

// headersOf parses a head (PROTOCOL 2.5). The values share the head's memory.
func headersOf(head string) http.Header {
	count := strings.Count(head, "\n")
	header := make(http.Header, count)
	values := make([]string, 0, count)
	for head != "" {
		line := head
		if end := strings.IndexByte(head, '\n'); end >= 0 {
			line, head = head[:end], head[end+1:]
		} else {
			head = ""
		}
		colon := strings.IndexByte(line, ':')
		if colon <= 0 {
			continue
		}
		name := http.CanonicalHeaderKey(line[:colon])
		value := strings.Trim(line[colon+1:], " \t\r")
		if earlier, present := header[name]; present {
			header[name] = append(earlier, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return header
}
