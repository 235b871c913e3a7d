package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

// Data returns the body that it got: event.Data is the body, byte for byte, also of JSON.
func Data(event functions.Event, context functions.Context) (string, error) {
	return event.Data, nil
}
