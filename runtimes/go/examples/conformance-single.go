// The only handler of its file: a worker finds it without a name.
package kubeless

import "github.com/kubeless/kubeless/pkg/functions"

func single(event functions.Event, context functions.Context) (string, error) {
	return "the only one", nil
}
