package main

import "testing"

// A part replaces the one of its processor, and others stay as they are.
func TestReplacePart(t *testing.T) {
	first := replacePart(nil, "one", []byte("\nfigures of one\n\n### Matmuls\n\n| a |\n"))
	if want := preface + "\n## one\n\nfigures of one\n\n### Matmuls\n\n| a |\n"; string(first) != want {
		t.Errorf("the first part gives\n%s", first)
	}
	both := replacePart(first, "two", []byte("figures of two"))
	if want := string(first) + "\n## two\n\nfigures of two\n"; string(both) != want {
		t.Errorf("the second part gives\n%s", both)
	}
	again := replacePart(both, "one", []byte("other figures"))
	if want := preface + "\n## one\n\nother figures\n\n## two\n\nfigures of two\n"; string(again) != want {
		t.Errorf("the first part again gives\n%s", again)
	}
}
