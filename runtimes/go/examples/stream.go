package kubeless

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kubeless/kubeless/pkg/functions"
)

// Stream sends a line every 100 ms. Flush blocks while the caller reads slower. Stream stops when
// the caller goes.
func Stream(event functions.Event, context functions.Context) (string, error) {
	response := event.Extensions.Response
	response.Header().Set("Content-Type", "text/plain")
	for count := 0; count < 10; count++ {
		fmt.Fprintln(response, count)
		response.(http.Flusher).Flush()
		select {
		case <-time.After(100 * time.Millisecond):
		case <-event.Extensions.Context.Done():
			return "", event.Extensions.Context.Err()
		}
	}
	return "", nil
}
