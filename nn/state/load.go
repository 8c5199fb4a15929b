package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Slot is a place that takes the values of one tensor: a parameter or a buffer
// of a model.
type Slot struct {
	Name  string
	Shape []int

	// Set takes the values, row after row. It must copy them and not change
	// them: the slice may be the file itself, or used again for the next tensor.
	Set func(values []float32) error

	// Resize, when not nil, accepts a tensor of another shape and returns the
	// values for Shape, or an error when it cannot. It must not keep values.
	Resize func(values []float32, shape []int) ([]float32, error)
}

// Mismatch is a tensor whose shape in the file differs from its slot's.
type Mismatch struct {
	Name string
	Want []int // of the slot
	Got  []int // of the file
}

// Report says what Load did with every slot and every tensor of the file.
// Names are those of the slots, except in Unexpected and Dropped, which name
// tensors as the file does.
type Report struct {
	Loaded     []string   // slots that were filled, Resized ones included
	Missing    []string   // slots that the file has no tensor for
	Unexpected []string   // tensors of the file that no slot takes
	Dropped    []string   // tensors of the file that the renaming left out on purpose
	Mismatched []Mismatch // shapes that differ
	Resized    []Mismatch // shapes that differed and were adapted
}

// Err returns nil when every slot has its tensor and every tensor its slot, and
// else one line with the counts and the first few names.
func (r Report) Err() error {
	var parts []string
	if len(r.Missing) > 0 {
		parts = append(parts, fmt.Sprintf("%d missing (%s)", len(r.Missing), firstFew(quoted(r.Missing))))
	}
	if len(r.Unexpected) > 0 {
		parts = append(parts, fmt.Sprintf("%d unexpected (%s)", len(r.Unexpected), firstFew(quoted(r.Unexpected))))
	}
	if len(r.Mismatched) > 0 {
		parts = append(parts, fmt.Sprintf("%d of another shape (%s)", len(r.Mismatched), firstFew(describe(r.Mismatched))))
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New("tensors do not fit: " + strings.Join(parts, ", "))
}

// String lists everything but the names that simply matched, one name a line.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d loaded", len(r.Loaded))
	for _, group := range []struct {
		title string
		lines []string
	}{
		{"resized", describe(r.Resized)},
		{"missing in the file", quoted(r.Missing)},
		{"unexpected in the file", quoted(r.Unexpected)},
		{"of another shape", describe(r.Mismatched)},
		{"left out", quoted(r.Dropped)},
	} {
		if len(group.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%d %s:", len(group.lines), group.title)
		for _, line := range group.lines {
			b.WriteString("\n  " + line)
		}
	}
	return b.String()
}

func describe(list []Mismatch) []string {
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = fmt.Sprintf("%s: want %v, file has %v", quote(m.Name), m.Want, m.Got)
	}
	return out
}

// quoted guards one-line texts against names with line breaks or escapes.
func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = quote(name)
	}
	return out
}

func firstFew(lines []string) string {
	const few = 3
	if len(lines) > few {
		return strings.Join(lines[:few], ", ") + ", ..."
	}
	return strings.Join(lines, ", ")
}

// Load fills slots from the tensors of f. It is strict: no slot is set when a
// slot has no tensor, a tensor no slot, or a shape differs without a Resize. The
// error is then Report.Err with the file's name. After these checks, tensors are
// read one by one. Only an error of reading, Set or Resize leaves the slots partly
// filled: those in Report.Loaded.
//
// rename turns a name of the file into a slot's name, or says false for a tensor
// to be left out. nil keeps all names. Two slots of one name are a programmer's
// mistake and panic.
func Load(slots []Slot, f *File, rename func(name string) (string, bool)) (Report, error) {
	var r Report
	source, err := match(slots, f, rename, &r)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return r, fmt.Errorf("state: loading %s: %w", f.Name(), err)
	}
	var reader TensorReader
	for _, slot := range slots {
		e := source[slot.Name]
		var resized bool
		err := reader.read(f, e, func(values []float32) (err error) {
			resized, err = slot.fill(e.Shape, values)
			return err
		})
		if err != nil {
			return r, fmt.Errorf("state: loading %s: tensor %s: %w", f.Name(), quote(e.Name), err)
		}
		if resized {
			r.Resized = append(r.Resized, Mismatch{slot.Name, slices.Clone(slot.Shape), slices.Clone(e.Shape)})
		}
		r.Loaded = append(r.Loaded, slot.Name)
	}
	return r, nil
}

// match finds the tensor of each slot, by slot name, and notes in r what does
// not fit.
func match(slots []Slot, f *File, rename func(string) (string, bool), r *Report) (map[string]Entry, error) {
	known := map[string]bool{}
	for _, slot := range slots {
		if known[slot.Name] {
			panic(fmt.Sprintf("state: Load: two slots are named %q", slot.Name))
		}
		known[slot.Name] = true
	}
	source := map[string]Entry{}
	for _, name := range f.names {
		target, keep := name, true
		if rename != nil {
			target, keep = rename(name)
		}
		if !keep {
			r.Dropped = append(r.Dropped, name)
			continue
		}
		if !known[target] {
			r.Unexpected = append(r.Unexpected, name)
			continue
		}
		e := f.header.entries[name]
		if other, taken := source[target]; taken {
			return nil, fmt.Errorf("tensors %s and %s are both renamed to %q", quote(other.Name), quote(name), target)
		}
		if !e.DType.Numeric() {
			return nil, fmt.Errorf("tensor %s: %s cannot be read as float32", quote(name), e.DType)
		}
		source[target] = e
	}
	for _, slot := range slots {
		e, ok := source[slot.Name]
		switch {
		case !ok:
			r.Missing = append(r.Missing, slot.Name)
		case slot.Resize == nil && !slices.Equal(slot.Shape, e.Shape):
			r.Mismatched = append(r.Mismatched, Mismatch{slot.Name, slices.Clone(slot.Shape), slices.Clone(e.Shape)})
		}
	}
	return source, nil
}

// fill sets the slot, and adapts the values first where their shape is another.
func (s Slot) fill(shape []int, values []float32) (resized bool, err error) {
	if slices.Equal(s.Shape, shape) {
		return false, s.Set(values)
	}
	values, err = s.Resize(values, slices.Clone(shape))
	if err != nil {
		return false, fmt.Errorf("resizing %v to %v: %w", shape, s.Shape, err)
	}
	if want := (Entry{Shape: s.Shape}).Len(); len(values) != want {
		panic(fmt.Sprintf("state: Load: Resize of %s gave %d values for %v", s.Name, len(values), s.Shape))
	}
	return true, s.Set(values)
}
