package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// modules is what a function's folder says about modules.
type modules struct{ mod, sum []byte }

func modulesOf(folder string) modules {
	mod, _ := os.ReadFile(filepath.Join(folder, "go.mod"))
	sum, _ := os.ReadFile(filepath.Join(folder, "go.sum"))
	return modules{mod, sum}
}

var moduleLine = regexp.MustCompile(`(?m)^\s*module\s+("[^"\n]+"|` + "`[^`\n]+`" + `|\S+)`)

// name is the module's; kubeless where it has none, and where it has the name that we are known by.
func (m modules) name() string {
	found := moduleLine.FindSubmatch(m.mod)
	if found == nil {
		return "kubeless"
	}
	name := string(found[1])
	if plain, err := strconv.Unquote(name); err == nil {
		name = plain
	}
	if name == library {
		return "kubeless"
	}
	return name
}

var localReplace = regexp.MustCompile(`(?m)=>\s*"?(\.{0,2}/[^"\s]*)`)

// localFolders gives the folders that a go.mod puts in the place of modules.
func localFolders(folder string, mod []byte) []string {
	var folders []string
	for _, found := range localReplace.FindAllSubmatch(mod, -1) {
		place := string(found[1])
		if !filepath.IsAbs(place) {
			place = filepath.Join(folder, place)
		}
		folders = append(folders, place)
	}
	return folders
}

// localPackages gives the files of the packages below the function's folder that it imports, and that those import.
func (s *source) localPackages(module string) []*goFile {
	var files []*goFile
	seen := map[string]bool{}
	var visit func(paths []string)
	visit = func(paths []string) {
		for _, path := range paths {
			below, is := cut(path, module+"/")
			if !is || seen[below] {
				continue
			}
			seen[below] = true
			folder := filepath.Join(s.folder, filepath.FromSlash(below))
			for _, name := range goNames(folder) {
				file := readFile(filepath.Join(folder, name))
				files = append(files, file)
				visit(file.imports())
			}
		}
	}
	for _, file := range s.files {
		visit(file.imports())
	}
	return files
}

// moduleIs gives the name that packages below the function's are imported by: its own, or the one that Kubeless compiled all
// functions by.
func (s *source) moduleIs() string {
	for path := range s.imports() {
		if strings.HasPrefix(path, "kubeless/") {
			return "kubeless"
		}
	}
	return modulesOf(s.folder).name()
}

// isPlain says that nothing in the function can look at Event.Extensions: no file names them, and there is nobody to hand the
// event to but Go's own library, which cannot know them but through reflection.
func (s *source) isPlain(module string) bool {
	for _, file := range append(s.localPackages(module), s.files...) {
		if file.syntax == nil || strings.Contains(string(file.content), "Extension") {
			return false
		}
		for _, path := range file.imports() {
			first, _, _ := strings.Cut(path, "/")
			ours := path == functionsPath || path == module || strings.HasPrefix(path, module+"/")
			if path == "reflect" || path == "unsafe" || strings.Contains(first, ".") && !ours {
				return false
			}
		}
	}
	return len(localFolders(s.folder, modulesOf(s.folder).mod)) == 0
}
