// Package functions has what a handler takes: the names and the types that functions for Kubeless have always used.
package functions

import (
	"context"
	"net/http"

	_ "github.com/kubeless/kubeless/wire" // takes the wire before anything of the function's runs
)

// Handler is a function: what it returns is the answer's body.
type Handler = func(event Event, context Context) (string, error)

// Event is what a handler is called with.
type Event struct {
	// Data is the request's body, byte for byte.
	Data           string
	EventID        string
	EventType      string
	EventTime      string
	EventNamespace string
	Extensions     Extension
}

// Extension is the HTTP side of an event.
type Extension struct {
	// Request can be read as in any http.Handler; its Body holds what is in Event.Data.
	Request *http.Request
	// Response takes a status, headers and a body, which what the handler returns is added to. It is an http.Flusher.
	Response http.ResponseWriter
	// Context ends with the call's time limit, when the caller goes away, and with the call.
	Context context.Context
	// Attributes are those of a CloudEvent; nil where there are none.
	Attributes map[string]string
}

// Context is what a handler can know of the function it is.
type Context struct {
	FunctionName string
	// Timeout is in `seconds`.
	Timeout     string
	Runtime     string
	MemoryLimit string
}
