package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

// Data gives back what it was sent, JSON or not: event.Data is the body, byte for byte.
func Data(event functions.Event, context functions.Context) (string, error) {
	return event.Data, nil
}
