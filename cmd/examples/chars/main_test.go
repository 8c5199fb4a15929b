package main

import (
	"bytes"
	"strings"
	"testing"
)

// A line that is repeated is soon learned: the loss falls, and most of what is written are its characters.
func TestTrain(t *testing.T) {
	const line = "to be or not to be, that is the question\n"
	const written = 100
	var out bytes.Buffer
	losses := train(&out, bytes.Repeat([]byte(line), 10), 80, written)
	if first, last := losses[0], losses[len(losses)-1]; !(last < 0.3*first) {
		t.Errorf("the loss went from %.3f to %.3f", first, last)
	}
	text := []rune(out.String())
	text = text[len(text)-written:]
	known := 0
	for _, char := range text {
		if strings.ContainsRune(line, char) {
			known++
		}
	}
	if known < written*2/3 {
		t.Errorf("of %d characters %d are those of the text: %q", written, known, string(text))
	}
}
