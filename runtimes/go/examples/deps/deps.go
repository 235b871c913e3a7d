// Package kubeless needs the go.mod beside it.
package kubeless

import (
	"github.com/dustin/go-humanize"
	"github.com/kubeless/kubeless/pkg/functions"
)

// Deps says how large a body is, in words.
func Deps(event functions.Event, context functions.Context) (string, error) {
	return humanize.Bytes(uint64(len(event.Data))), nil
}
