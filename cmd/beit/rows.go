package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
)

// rows is where the results for pictures go, one row for each, as they come. A file takes its place at the end, whole or not at all.
type rows[E float32 | int32] interface {
	add(name string, row []E) error
	// close ends the output and says what it holds, "" where that is plain to see.
	close() (summary string, err error)
	// discard gives up what was not closed; after close it does nothing.
	discard()
}

// checkRows says whether the name of an output file tells its format.
func checkRows(out string) error {
	if ext := filepath.Ext(out); out != "" && ext != ".npy" && ext != ".jsonl" {
		return usagef("--out %s: name a file that ends in .npy or .jsonl", out)
	}
	return nil
}

// openRows opens an output for rows of the given shape: a .npy file with the names beside it, a .jsonl file, or lines on stdout. line
// is what a line of JSON says of a picture.
func openRows[E float32 | int32](out string, stdout io.Writer, shape []int, line func(name string, row []E) any) (rows[E], error) {
	switch {
	case out == "":
		return newLines(stdout, line, func() error { return nil }, func() {}), nil // each line as a whole, though the command be interrupted
	case filepath.Ext(out) == ".npy":
		return newArray[E](out, shape)
	}
	file, err := state.CreatePending(out)
	if err != nil {
		return nil, err
	}
	return newLines(file, line, func() error { return state.Commit(file) }, file.Discard), nil
}

// lines is JSON, one object a line.
type lines[E float32 | int32] struct {
	json *json.Encoder
	line func(name string, row []E) any
	end  func() error
	drop func()
}

func newLines[E float32 | int32](to io.Writer, line func(string, []E) any, end func() error, drop func()) *lines[E] {
	l := &lines[E]{json.NewEncoder(to), line, end, drop}
	l.json.SetEscapeHTML(false)
	return l
}

func (l *lines[E]) add(name string, row []E) error { return l.json.Encode(l.line(name, row)) }
func (l *lines[E]) close() (string, error)         { return "", l.end() }
func (l *lines[E]) discard()                       { l.drop() }

// array is a file in NumPy's format 1.0 (numpy.lib.format), [M, shape..] little-endian in C order, with the names of its rows in a JSON
// list beside it.
type array[E float32 | int32] struct {
	out, names string // files
	shape      []int  // of a row
	count      int    // M so far
	data, list *state.Pending
	buf        []byte
}

func newArray[E float32 | int32](out string, shape []int) (*array[E], error) {
	a := &array[E]{out: out, names: strings.TrimSuffix(out, ".npy") + ".names.json", shape: shape}
	var err error
	if a.data, err = state.CreatePending(out); err != nil {
		return nil, err
	}
	if a.list, err = state.CreatePending(a.names); err != nil {
		a.discard()
		return nil, err
	}
	if _, err = a.data.Write(npyHeader(a.descr(), a.shapeOf(0))); err != nil { // overwritten when the number of rows is known
		a.discard()
		return nil, err
	}
	return a, nil
}

// descr is NumPy's name of the type of numbers.
func (a *array[E]) descr() string {
	if _, ok := any(*new(E)).(float32); ok {
		return "<f4"
	}
	return "<i4"
}

func (a *array[E]) shapeOf(count int) []int { return append([]int{count}, a.shape...) }

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

func (a *array[E]) add(name string, row []E) error {
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
	quoted, err := json.Marshal(name)
	if err != nil {
		return err
	}
	if _, err := a.list.Write(append([]byte(before), quoted...)); err != nil {
		return err
	}
	a.count++
	return nil
}

func (a *array[E]) close() (string, error) {
	end := "\n]\n"
	if a.count == 0 {
		end = "[]\n"
	}
	if _, err := io.WriteString(a.list, end); err != nil {
		return "", err
	}
	if err := a.data.Overwrite(npyHeader(a.descr(), a.shapeOf(a.count)), 0); err != nil {
		return "", err
	}
	if err := state.Commit(a.list, a.data); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %T %v, the names of its rows in %s", a.out, *new(E), a.shapeOf(a.count), a.names), nil
}

func (a *array[E]) discard() {
	for _, p := range []*state.Pending{a.data, a.list} {
		if p != nil {
			p.Discard()
		}
	}
}
