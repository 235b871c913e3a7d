package worker

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
)

func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// headBlock writes headers as PROTOCOL 2.5 has them, with the content's type as net/http guesses it where none is set.
func headBlock(header http.Header, status int, content []byte, keepLength bool) (string, error) {
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
	sort.Strings(names) // the same headers make the same block each time, which the loader knows again
	block := strings.Builder{}
	for _, name := range names {
		if !isToken(name) {
			return "", fmt.Errorf("the function set a header whose name cannot be sent: %q", name)
		}
		for _, value := range header[name] {
			if !isValue(value) {
				return "", fmt.Errorf("the function set the header %s to what cannot be sent: %q", name, value)
			}
			block.WriteString(name)
			block.WriteString(": ")
			block.WriteString(value)
			block.WriteString("\r\n")
		}
	}
	if _, set := header["Content-Type"]; !set && len(content) > 0 && !bodiless(status) && header.Get("Content-Encoding") == "" {
		block.WriteString("Content-Type: ")
		block.WriteString(http.DetectContentType(content))
		block.WriteString("\r\n")
	}
	return block.String(), nil
}

// sniffed is the head of an answer whose headers nobody set.
func sniffed(content string) string {
	kind := http.DetectContentType(bytesOf(content))
	if kind == "text/plain; charset=utf-8" {
		return "Content-Type: text/plain; charset=utf-8\r\n"
	}
	return "Content-Type: " + kind + "\r\n"
}

// isToken and isValue keep what the loader's HTTP could not say, and more than PROTOCOL 4.4, off the wire.
func isToken(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}

func isValue(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
