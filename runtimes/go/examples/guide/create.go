package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

func Create(event functions.Event, context functions.Context) (string, error) {
	response := event.Extensions.Response
	response.Header().Set("Location", "/orders/7")
	response.WriteHeader(201)
	return "created\n", nil
}
