package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// maxUnusedAge is how long the folder of a function is kept that nothing starts.
const maxUnusedAge = 30 * 24 * time.Hour

// entry is a function's folder in the cache: its program, and what Go needs to see whether the
// program is up to date.
type entry struct{ folder string }

// openEntry returns the entry of a function's file, and locks it until this process ends or becomes
// another program: workers that start at the same time compile once.
func openEntry(path string) (entry, error) {
	hash := sha256.Sum256([]byte(path))
	// tools.sh has put this program into the cache.
	folder := filepath.Join(filepath.Dir(os.Args[0]), "functions", hex.EncodeToString(hash[:12]))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return entry{}, err
	}
	lock, err := syscall.Open(filepath.Join(folder, "lock"), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return entry{}, err
	}
	for syscall.Flock(lock, syscall.LOCK_EX) == syscall.EINTR {
	}
	now := time.Now()
	os.Chtimes(filepath.Join(folder, "lock"), now, now)
	return entry{folder}, nil
}

// program returns the function's program, compiled if it is not up to date.
func (e entry) program(f *function, tools *toolchain) (string, error) {
	before, _ := os.Stat(filepath.Join(e.folder, "program"))
	began := time.Now()
	made, err := tools.build(f, e.folder)
	if err != nil {
		return "", err
	}
	if after, err := os.Stat(made); err == nil && (before == nil || !os.SameFile(before, after)) {
		fmt.Fprintf(os.Stderr, "Compiled %s in %.1f s.\n", f.files[0].path, time.Since(began).Seconds())
		e.prune()
	}
	return made, nil
}

// prune removes entries that were not used for long.
func (e entry) prune() {
	locks, _ := filepath.Glob(filepath.Join(filepath.Dir(e.folder), "*", "lock"))
	for _, lock := range locks {
		if stat, err := os.Stat(lock); err == nil && time.Since(stat.ModTime()) > maxUnusedAge {
			os.RemoveAll(filepath.Dir(lock))
		}
	}
}
