package main

import (
	"bytes"
	"os"
	"testing"
)

// TestGenerated fails when an operation or a function was added and nobody ran go generate.
func TestGenerated(t *testing.T) {
	for _, c := range []struct{ dir, what string }{{"../..", "planner"}, {"../..", "functions"}, {"../../../autograd", "functions"}} {
		name, want, err := generate(c.dir, c.what)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the package gives (error %v): run go generate in its folder", name, err)
		}
	}
}
