// Package functions has the types of a handler, under the names that Kubeless's functions have
// always used.
package functions

import (
	"context"
	"net/http"

	_ "github.com/kubeless/kubeless/wire" // takes the wire before the function's init runs
)

// Handler is a function. The string that it returns is the answer's body.
type Handler = func(event Event, context Context) (string, error)

// Event is the input of a handler.
type Event struct {
	// Data is the request's body, byte for byte, or the data of a structured CloudEvent.
	Data           string
	EventID        string
	EventType      string
	EventTime      string
	EventNamespace string
	Extensions     Extension
}

// Extension is the HTTP side of an event.
type Extension struct {
	// Request is the HTTP request. Its Body reads the body as it came.
	Request *http.Request
	// Response takes a status, headers and a body, which the handler's result is appended to. It is an
	// http.Flusher.
	Response http.ResponseWriter
	// Context ends when the caller goes, when the call's time limit has passed, and when the call is
	// answered.
	Context context.Context
	// Attributes are the attributes of a CloudEvent; nil without one.
	Attributes map[string]string
}

// Context describes the function that the handler belongs to.
type Context struct {
	FunctionName string
	// Timeout is in seconds.
	Timeout     string
	Runtime     string
	MemoryLimit string
}
