package npy

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// NamesPath is the path of the file with the names of the rows of the .npy file at path.
func NamesPath(path string) string { return strings.TrimSuffix(path, ".npy") + ".names.json" }

// Rows writes a file in NumPy's format 1.0 (numpy.lib.format), [M, shape..] little-endian in C order, with the names of its rows in a JSON
// list beside it.
type Rows[E float32 | int32] struct {
	shape      []int // of a row
	count      int   // M so far
	data, list *state.Pending
	buf        []byte
}

// CreateRows begins a .npy file of rows of a shape. Neither file is there before Commit.
func CreateRows[E float32 | int32](out string, shape []int) (*Rows[E], error) {
	a := &Rows[E]{shape: shape}
	if len(a.header(math.MaxInt)) != rowsHeader {
		return nil, fmt.Errorf("%s: a row of shape %v has too many axes for the header of a .npy file", out, shape)
	}
	var err error
	if a.data, err = state.CreatePending(out); err != nil {
		return nil, err
	}
	if a.list, err = state.CreatePending(NamesPath(out)); err != nil {
		a.Discard()
		return nil, err
	}
	if _, err = a.data.Write(a.header(0)); err != nil { // overwritten when the number of rows is known
		a.Discard()
		return nil, err
	}
	return a, nil
}

func (a *Rows[E]) shapeOf(count int) []int { return append([]int{count}, a.shape...) }

// rowsHeader is the length of the header, which has room for any number of rows.
const rowsHeader = 128

// header is that of an array of count rows.
func (a *Rows[E]) header(count int) []byte {
	return encodeHeader(descr[E](), a.shapeOf(count), rowsHeader)
}

// Add appends a row of as many numbers as the shape has, and its name.
func (a *Rows[E]) Add(name string, row []E) error {
	if want := (state.Entry{Shape: a.shape}).Len(); len(row) != want {
		return fmt.Errorf("row %q has %d numbers, the array's rows have %d", name, len(row), want)
	}
	a.buf = appendNumbers(a.buf[:0], row)
	if _, err := a.data.Write(a.buf); err != nil {
		return err
	}
	before := ",\n"
	if a.count == 0 {
		before = "[\n"
	}
	quoted, err := json.Marshal(plain.Name(name))
	if err != nil {
		return err
	}
	if _, err := a.list.Write([]byte(before + plain.JSON(string(quoted)))); err != nil {
		return err
	}
	a.count++
	return nil
}

// Commit ends both files and puts them in their places.
func (a *Rows[E]) Commit() error {
	end := "\n]\n"
	if a.count == 0 {
		end = "[]\n"
	}
	if _, err := io.WriteString(a.list, end); err != nil {
		return err
	}
	if err := a.data.Overwrite(a.header(a.count), 0); err != nil {
		return err
	}
	return state.Commit(a.list, a.data)
}

// Shape is that of the whole array so far.
func (a *Rows[E]) Shape() []int { return a.shapeOf(a.count) }

// Discard gives up what was not committed; after Commit it does nothing.
func (a *Rows[E]) Discard() {
	for _, p := range []*state.Pending{a.data, a.list} {
		if p != nil {
			p.Discard()
		}
	}
}
