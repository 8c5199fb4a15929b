package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/npy"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// output is where the results for images go, one row for each, as they come. A file takes its place at the end, whole or not at all.
type output[E float32 | int32] interface {
	add(name string, row []E) error
	// close ends the output and says what it holds, "" where that is plain to see.
	close() (summary string, err error)
	// discard gives up what was not closed; after close it does nothing.
	discard()
}

// checkOutput says whether the name of an output file tells its format.
func checkOutput(out string) error {
	if ext := filepath.Ext(out); out != "" && ext != ".npy" && ext != ".jsonl" {
		return usagef("--out %s: name a file that ends in .npy or .jsonl", out)
	}
	return nil
}

// openOutput opens an output for rows of the given shape: a .npy file with the names beside it, a .jsonl file, or lines on stdout. line
// is what a line of JSON says of an image.
func openOutput[E float32 | int32](out string, stdout io.Writer, shape []int, line func(name string, row []E) any) (output[E], error) {
	switch {
	case out == "":
		return &lines[E]{stdout, line, func() error { return nil }, func() {}}, nil // each line as a whole, though the command be interrupted
	case filepath.Ext(out) == ".npy":
		file, err := npy.CreateRows[E](out, shape)
		if err != nil {
			return nil, err
		}
		return array[E]{file, out}, nil
	}
	file, err := state.CreatePending(out)
	if err != nil {
		return nil, err
	}
	return &lines[E]{file, line, func() error { return state.Commit(file) }, file.Discard}, nil
}

// lines is JSON, one object a line.
type lines[E float32 | int32] struct {
	to   io.Writer
	line func(name string, row []E) any
	end  func() error
	drop func()
}

func (l *lines[E]) close() (string, error) { return "", l.end() }
func (l *lines[E]) discard()               { l.drop() }

func (l *lines[E]) add(name string, row []E) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l.line(plain.Name(name), row)); err != nil {
		return err
	}
	_, err := io.WriteString(l.to, plain.JSON(text.String()))
	return err
}

// array is a .npy file with the names of its rows beside it.
type array[E float32 | int32] struct {
	*npy.Rows[E]
	out string
}

func (a array[E]) add(name string, row []E) error { return a.Add(name, row) }
func (a array[E]) discard()                       { a.Discard() }

func (a array[E]) close() (string, error) {
	if err := a.Commit(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %T %v, the names of its rows in %s", a.out, *new(E), a.Shape(), npy.NamesPath(a.out)), nil
}
