package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/gobeit/gobeit/nn/state"
)

// preface stands before the parts of the page.
const preface = `# Beside others

Each part is one kind of processor, written by ` + "`go run .`" + ` in bench/compare on an idle machine. Sides take turns; figures are medians. A row says
"void" where a library took kernels for older processors than this one: its speed would say nothing about the library.
`

// heading is how a part begins.
const heading = "\n## "

// writePart puts the part of a processor into the page, in place of the one that is there. The other parts stay.
func writePart(file, processor string, part []byte) error {
	page, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return state.WriteFileAtomic(file, func(w io.Writer) error {
		_, err := w.Write(replacePart(page, processor, part))
		return err
	})
}

func replacePart(page []byte, processor string, part []byte) []byte {
	part = append([]byte(processor+"\n\n"), bytes.TrimSpace(part)...)
	old := bytes.Split(page, []byte(heading))[1:]
	out, done := []byte(preface), false
	for _, one := range old {
		if name, _, _ := bytes.Cut(one, []byte("\n")); string(name) == processor {
			one, done = part, true
		}
		out = append(append(append(out, heading...), bytes.TrimSpace(one)...), '\n')
	}
	if !done {
		out = append(append(append(out, heading...), part...), '\n')
	}
	return out
}
