package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
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

// number writes a figure with four digits or so.
func number(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e9:
		return fmt.Sprintf("%.0f", v)
	case a >= 1e9:
		return fmt.Sprintf("%.3g", v)
	case a >= 1000:
		return fmt.Sprintf("%.0f", v)
	case a >= 100:
		return fmt.Sprintf("%.1f", v)
	case a >= 10:
		return fmt.Sprintf("%.2f", v)
	case a >= 1:
		return fmt.Sprintf("%.3f", v)
	case a >= 0.0001:
		return fmt.Sprintf("%.4f", v)
	}
	return fmt.Sprintf("%.2e", v)
}
