package kubeless

import (
	"errors"

	"github.com/kubeless/kubeless/pkg/functions"
)

func Refuse(event functions.Event, context functions.Context) (string, error) {
	return "", errors.New("no such order")
}
