package kubeless

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kubeless/kubeless/pkg/functions"
)

func Count(event functions.Event, context functions.Context) (string, error) {
	response := event.Extensions.Response
	for number := 1; number <= 3; number++ {
		fmt.Fprintln(response, number)
		response.(http.Flusher).Flush()
		time.Sleep(100 * time.Millisecond)
	}
	return "", nil
}
