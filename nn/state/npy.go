package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// NPYNames is the path of the file with the names of the rows of the .npy file at path.
func NPYNames(path string) string { return strings.TrimSuffix(path, ".npy") + ".names.json" }

// NPY writes a file in NumPy's format 1.0 (numpy.lib.format), [M, shape..] little-endian in C order, with the names of its rows in a JSON
// list beside it.
type NPY[E float32 | int32] struct {
	shape      []int // of a row
	count      int   // M so far
	data, list *Pending
	buf        []byte
}

// CreateNPY begins a .npy file of rows of a shape. Neither file is there before Commit.
func CreateNPY[E float32 | int32](out string, shape []int) (*NPY[E], error) {
	a := &NPY[E]{shape: shape}
	if head := npyHeader(a.descr(), a.shapeOf(math.MaxInt)); len(head) != npyHeaderLen {
		return nil, fmt.Errorf("%s: a row of shape %v has too many axes for the header of a .npy file", out, shape)
	}
	var err error
	if a.data, err = CreatePending(out); err != nil {
		return nil, err
	}
	if a.list, err = CreatePending(NPYNames(out)); err != nil {
		a.Discard()
		return nil, err
	}
	if _, err = a.data.Write(npyHeader(a.descr(), a.shapeOf(0))); err != nil { // overwritten when the number of rows is known
		a.Discard()
		return nil, err
	}
	return a, nil
}

// descr is NumPy's name of the type of numbers.
func (a *NPY[E]) descr() string {
	if _, ok := any(*new(E)).(float32); ok {
		return "<f4"
	}
	return "<i4"
}

func (a *NPY[E]) shapeOf(count int) []int { return append([]int{count}, a.shape...) }

// npyHeaderLen has room for any number of rows and is a multiple of 64, as the format wants.
const npyHeaderLen = 128

// npyHeader is what stands before the numbers of a .npy file.
func npyHeader(descr string, shape []int) []byte {
	var sizes strings.Builder
	for _, n := range shape {
		sizes.WriteString(strconv.Itoa(n) + ", ")
	}
	head := []byte("\x93NUMPY\x01\x00")
	head = binary.LittleEndian.AppendUint16(head, npyHeaderLen-10)
	head = fmt.Appendf(head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(sizes.String(), " "))
	head = fmt.Appendf(head, "%*s", npyHeaderLen-len(head), "\n")
	return head
}

// Add appends a row of as many numbers as the shape has, and its name.
func (a *NPY[E]) Add(name string, row []E) error {
	if want := (Entry{Shape: a.shape}).Len(); len(row) != want {
		return fmt.Errorf("row %q has %d numbers, the array's rows have %d", name, len(row), want)
	}
	a.buf = a.buf[:0]
	for _, v := range row {
		switch v := any(v).(type) {
		case float32:
			a.buf = binary.LittleEndian.AppendUint32(a.buf, math.Float32bits(v))
		case int32:
			a.buf = binary.LittleEndian.AppendUint32(a.buf, uint32(v))
		}
	}
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
func (a *NPY[E]) Commit() error {
	end := "\n]\n"
	if a.count == 0 {
		end = "[]\n"
	}
	if _, err := io.WriteString(a.list, end); err != nil {
		return err
	}
	if err := a.data.Overwrite(npyHeader(a.descr(), a.shapeOf(a.count)), 0); err != nil {
		return err
	}
	return Commit(a.list, a.data)
}

// Shape is that of the whole array so far.
func (a *NPY[E]) Shape() []int { return a.shapeOf(a.count) }

// Discard gives up what was not committed; after Commit it does nothing.
func (a *NPY[E]) Discard() {
	for _, p := range []*Pending{a.data, a.list} {
		if p != nil {
			p.Discard()
		}
	}
}
