package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// programsMost is how many programs are kept: each is some megabytes, and a developer saves often.
const programsMost = 30

// attemptsMost is how often a function is compiled that is being saved all the while.
const attemptsMost = 5

// cache keeps programs by all that decides what they are.
type cache struct{ folder string }

// openCache gives the folder where this program lies itself: tools.sh chose it.
func openCache() *cache {
	return &cache{filepath.Dir(os.Args[0])}
}

// program gives the file of the function's program, which is made if it is not there.
func (c *cache) program(s *source, tools *toolchain) (string, error) {
	key := keyOf(s, tools)
	unlock := func() {}
	defer func() { unlock() }()
	for attempt := 1; ; attempt++ {
		place := filepath.Join(c.folder, key+".program")
		if c.use(place) {
			return place, nil
		}
		unlock()
		// Workers that start at once wait for the one that compiles.
		unlock = c.lock(key)
		if c.use(place) {
			return place, nil
		}
		made, err := c.make(s, tools)
		again, readErr := s.again()
		if readErr != nil {
			return "", readErr
		}
		// What was saved meanwhile may be in what was made, or not.
		after := keyOf(again, tools)
		if after != key && attempt < attemptsMost {
			os.RemoveAll(filepath.Dir(made))
			s, key = again, after
			continue
		}
		if err != nil {
			return "", err
		}
		err = moveTo(made, place)
		os.RemoveAll(filepath.Dir(made))
		c.prune()
		return place, err
	}
}

// make compiles, in a folder of its own, which the caller removes.
func (c *cache) make(s *source, tools *toolchain) (string, error) {
	scratch, err := os.MkdirTemp(c.folder, "making-")
	if err != nil {
		return "", err
	}
	began := time.Now()
	made, err := tools.build(c.resolved(s), s, scratch)
	if err != nil {
		os.RemoveAll(scratch)
		return "", err
	}
	c.keepResolved(s, scratch)
	fmt.Fprintf(os.Stderr, "Compiled %s in %.1f s.\n", s.files[0].path, time.Since(began).Seconds())
	return made, nil
}

// use says whether the program is there, and notes that it is in use.
func (c *cache) use(place string) bool {
	now := time.Now()
	if os.Chtimes(place, now, now) == nil {
		return true
	}
	_, err := os.Stat(place)
	return err == nil
}

func (c *cache) lock(key string) (unlock func()) {
	file, err := os.OpenFile(filepath.Join(c.folder, "lock."+key[:1]), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return func() {}
	}
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX) == syscall.EINTR {
	}
	return func() { file.Close() }
}

// prune removes what was not used for the longest time, and what a compilation has left that was interrupted.
func (c *cache) prune() {
	c.keepNewest("*.program", programsMost)
	c.keepNewest("modules-*", 10*programsMost)
	left, _ := filepath.Glob(filepath.Join(c.folder, "making-*"))
	for _, place := range left {
		if about, err := os.Stat(place); err == nil && time.Since(about.ModTime()) > time.Hour {
			os.RemoveAll(place)
		}
	}
}

func (c *cache) keepNewest(pattern string, most int) {
	places, _ := filepath.Glob(filepath.Join(c.folder, pattern))
	used := map[string]time.Time{}
	for _, place := range places {
		if about, err := os.Stat(place); err == nil {
			used[place] = about.ModTime()
		}
	}
	sort.Slice(places, func(a, b int) bool { return used[places[a]].After(used[places[b]]) })
	for index, place := range places {
		if index >= most {
			os.Remove(place)
		}
	}
}

// keyOf is a digest of all that decides what the program is.
func keyOf(s *source, tools *toolchain) string {
	digest := sha256.New()
	note := func(words ...string) {
		for _, word := range words {
			fmt.Fprintf(digest, "%d %s\n", len(word), word)
		}
	}
	note(tools.state, tools.home, s.folder) // stacks tell the folder
	for _, setting := range os.Environ() {
		if strings.HasPrefix(setting, "GO") {
			note(setting)
		}
	}
	embeds := false
	noteFile := func(file *goFile) {
		note(file.path, file.name, string(file.content))
		embeds = embeds || strings.Contains(string(file.content), "//go:embed")
	}
	for _, file := range s.files {
		noteFile(file)
	}
	for _, file := range s.localPackages(s.moduleIs()) {
		noteFile(file)
	}
	modules := modulesOf(s.folder)
	note(string(modules.mod), string(modules.sum))
	for _, folder := range localFolders(s.folder, modules.mod) {
		noteFolder(digest, folder)
	}
	if embeds {
		noteFolder(digest, s.folder)
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

// noteFolder notes the files of a folder by their size and time.
func noteFolder(digest hash.Hash, folder string) {
	filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if entry.IsDir() && path != folder && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if about, err := entry.Info(); err == nil && !entry.IsDir() {
			fmt.Fprintf(digest, "%q %d %d\n", path, about.Size(), about.ModTime().UnixNano())
		}
		return nil
	})
}

// again reads the function once more.
func (s *source) again() (*source, error) { return sourceOf(s.files[0].path) }

// resolved gives what a compilation has found out about the function's modules before, if its go.mod and go.sum were the
// same: what they leave open is then as it was, and nobody has to be asked.
func (c *cache) resolved(s *source) modules {
	own := modulesOf(s.folder)
	place := c.resolvedPlace(own)
	sum, err := os.ReadFile(place + ".sum")
	if err != nil {
		return own
	}
	mod, err := os.ReadFile(place + ".mod")
	if err != nil {
		return own
	}
	return modules{mod, sum}
}

func (c *cache) keepResolved(s *source, scratch string) {
	place := c.resolvedPlace(modulesOf(s.folder))
	for _, ending := range []string{".mod", ".sum"} {
		os.Rename(filepath.Join(scratch, "go"+ending), place+ending)
	}
}

func (c *cache) resolvedPlace(own modules) string {
	digest := sha256.Sum256([]byte(fmt.Sprintf("%d %s%s", len(own.mod), own.mod, own.sum)))
	return filepath.Join(c.folder, "modules-"+hex.EncodeToString(digest[:12]))
}
