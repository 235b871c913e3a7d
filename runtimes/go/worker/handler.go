package worker

import (
	"fmt"
	"reflect"
	"sort"

	"github.com/kubeless/kubeless/pkg/functions"
)

// candidate is a function of the user's package. It is a handler if its type is functions.Handler.
type candidate struct {
	file, name string
	value      interface{}
}

var candidates []candidate

// Register adds a function of the user's package, and the file that declares it.
func Register(file, name string, value interface{}) {
	candidates = append(candidates, candidate{file, name, value})
}

// find returns the handler with this name. Without a name it returns the only handler of the file,
// or the only exported handler of the file.
func find(name, file string) (candidate, *LoadError) {
	all := handlersOf(candidates)
	if name != "" {
		return findNamed(name, file, all)
	}
	var own, exported []candidate
	for _, one := range all {
		if one.file == file {
			own = append(own, one)
			if one.name[0] >= 'A' && one.name[0] <= 'Z' {
				exported = append(exported, one)
			}
		}
	}
	// `all` counts too: in a container the file may have been compiled under another name.
	for _, some := range [][]candidate{own, exported, all} {
		if len(some) == 1 {
			return some[0], nil
		}
	}
	if len(all) == 0 {
		return candidate{}, &LoadError{fmt.Sprintf("%s has no handler. Write func Hello(event functions.Event, context functions.Context) (string, error)", file), names(all)}
	}
	return candidate{}, &LoadError{fmt.Sprintf("%s has more than one handler. Name one with FUNC_HANDLER, or locally with --handler", file), names(all)}
}

func findNamed(name, file string, all []candidate) (candidate, *LoadError) {
	for _, one := range candidates {
		if one.name != name {
			continue
		}
		if handler, is := one.value.(functions.Handler); is && handler != nil {
			return one, nil
		}
		return candidate{}, &LoadError{fmt.Sprintf("%s in %s is a %s; a handler is a func(event functions.Event, context functions.Context) (string, error)",
			name, one.file, reflect.TypeOf(one.value)), names(all)}
	}
	return candidate{}, &LoadError{fmt.Sprintf("there is no handler %q in %s", name, file), names(all)}
}

func handlersOf(all []candidate) []candidate {
	var some []candidate
	for _, one := range all {
		if handler, is := one.value.(functions.Handler); is && handler != nil {
			some = append(some, one)
		}
	}
	return some
}

func names(of []candidate) []string {
	list := []string{}
	for _, one := range of {
		list = append(list, one.name)
	}
	sort.Strings(list)
	return list
}
