package kubeless

import (
	"encoding/json"
	"io"
	"strconv"

	"github.com/kubeless/kubeless/pkg/functions"
)

func H(event functions.Event, context functions.Context) (string, error) {
	request := event.Extensions.Request
	body, _ := io.ReadAll(request.Body)
	seen, err := json.Marshal(map[string]string{
		"data": event.Data, "type": request.Header.Get("Content-Type"), "body": string(body), "length": strconv.FormatInt(request.ContentLength, 10),
	})
	return string(seen), err
}
