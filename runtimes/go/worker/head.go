package worker

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
)

// maxHeadBytes is the limit of PROTOCOL 2.3.
const maxHeadBytes = 1 << 20

// mayHaveBody reports whether HTTP allows a body with this status (RFC 9110 section 6.4.1).
func mayHaveBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// headOf returns headers as a head (PROTOCOL 2.5). Where the function set no Content-Type, the head
// has the one that net/http would guess from the content. It returns an error if HTTP cannot send
// one of the headers.
func headOf(header http.Header, status int, content []byte, keepLength bool) (string, error) {
	names := make([]string, 0, len(header))
	for name := range header {
		switch name {
		// These belong to the connection, which is the loader's.
		case "Connection", "Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade":
			continue
		case "Content-Length":
			if !keepLength {
				continue
			}
		}
		if strings.HasPrefix(name, http.TrailerPrefix) {
			continue
		}
		names = append(names, name)
	}
	sort.Strings(names) // equal headers give equal heads, which the loader caches
	head := strings.Builder{}
	for _, name := range names {
		if !isToken(name) {
			return "", fmt.Errorf("the function set a header with an invalid name: %q", name)
		}
		for _, value := range header[name] {
			if !isValue(value) {
				return "", fmt.Errorf("the function set the header %s to an invalid value: %q", name, value)
			}
			head.WriteString(name)
			head.WriteString(": ")
			head.WriteString(value)
			head.WriteString("\r\n")
		}
	}
	if _, set := header["Content-Type"]; !set && len(content) > 0 && mayHaveBody(status) && header.Get("Content-Encoding") == "" {
		head.WriteString("Content-Type: ")
		head.WriteString(http.DetectContentType(content))
		head.WriteString("\r\n")
	}
	if head.Len() > maxHeadBytes {
		return "", fmt.Errorf("the function set headers of %d bytes; the limit is %d", head.Len(), maxHeadBytes)
	}
	return head.String(), nil
}

// guessedHead returns the head of an answer for which the function set no header.
func guessedHead(content string) string {
	kind := http.DetectContentType(bytesOf(content))
	if kind == "text/plain; charset=utf-8" {
		return "Content-Type: text/plain; charset=utf-8\r\n" // the usual one, without an allocation
	}
	return "Content-Type: " + kind + "\r\n"
}

// isToken reports whether RFC 9110 section 5.1 allows a header's name.
func isToken(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}

// isValue reports whether a header's value has no control characters (RFC 9110 section 5.5).
func isValue(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
