package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// printJSON writes v as one indented object.
func printJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, plain.JSON(string(text))+"\n")
	return err
}

// jsonList writes a list as printJSON does, an element at a time.
type jsonList[T any] struct {
	w     io.Writer
	count int
}

func (l *jsonList[T]) add(v T) error {
	text, err := json.MarshalIndent(v, "  ", "  ")
	if err != nil {
		return err
	}
	before := ",\n  "
	if l.count == 0 {
		before = "[\n  "
	}
	l.count++
	_, err = io.WriteString(l.w, before+plain.JSON(string(text)))
	return err
}

func (l *jsonList[T]) close() error {
	end := "\n]\n"
	if l.count == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(l.w, end)
	return err
}

// printPairs writes names and values in two columns.
func printPairs(w io.Writer, pairs ...[2]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range pairs {
		fmt.Fprintf(t, "%s\t%s\n", plain.Text(p[0]), plain.Text(p[1]))
	}
	return t.Flush()
}
