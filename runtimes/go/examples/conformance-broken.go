// A file with a syntax error in line 17, as in every language. The worker's message must name this
// file and that line.
package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

func echoes(event functions.Event, context functions.Context) (string, error) {
	return event.Data, nil
}

func types(event functions.Event, context functions.Context) (string, error) {
	return "{}", nil
}

// The compiler stops at the next line.

this line is not Go
