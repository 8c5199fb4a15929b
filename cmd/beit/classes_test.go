package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A byte order mark is no part of the first name.
func TestNamesWithMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "names.txt")
	if err := os.WriteFile(path, []byte("\ufeffcat\r\ndog\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if names, err := readNames(path, 2); err != nil || !slices.Equal(names, []string{"cat", "dog"}) {
		t.Errorf("%q, error %v", names, err)
	}
	if list, err := readMask(path, []string{"cow", "dog", "cat"}, 3); err != nil || !slices.Equal(list, []int{1, 2}) {
		t.Errorf("%v, error %v", list, err)
	}
}
