// A file that cannot be loaded: its line 17, which is the same in every language, is not Go.
// What a worker says about it must name this file and that line.
package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

func echoes(event functions.Event, context functions.Context) (string, error) {
	return event.Data, nil
}

func types(event functions.Event, context functions.Context) (string, error) {
	return "{}", nil
}

// The compiler does not get past the next line.

this line is not Go
