package kubeless

import (
	"encoding/json"

	"github.com/kubeless/kubeless/pkg/functions"
)

func Greet(event functions.Event, context functions.Context) (string, error) {
	var caller struct{ Name string }
	if err := json.Unmarshal([]byte(event.Data), &caller); err != nil {
		return "", err
	}
	event.Extensions.Response.Header().Set("Content-Type", "application/json")
	answer, err := json.Marshal(map[string]string{"hello": caller.Name})
	return string(answer), err
}
