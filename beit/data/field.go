package data

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// Field describes one named tensor that a Pipeline makes of each sample.
type Field struct {
	Name  string
	Shape []int        // of one sample, without the batch axis
	DType tensor.DType // Float32 or Int32
}

// size returns the number of elements of one sample.
func (f Field) size() int {
	n := 1
	for _, d := range f.Shape {
		n *= d
	}
	return n
}

// Values holds the elements of one tensor in row-major order: in Float32 or in Int32, as the DType of its Field says.
type Values struct {
	Float32 []float32
	Int32   []int32
}

// slice returns elements from to to.
func (v Values) slice(from, to int) Values {
	if v.Int32 != nil {
		return Values{Int32: v.Int32[from:to]}
	}
	return Values{Float32: v.Float32[from:to]}
}

// move copies n elements at from to the place at to.
func (v Values) move(to, from, n int) {
	if v.Int32 != nil {
		copy(v.Int32[to:to+n], v.Int32[from:from+n])
		return
	}
	copy(v.Float32[to:to+n], v.Float32[from:from+n])
}

// Tensors holds the values of several fields, in their order.
type Tensors []Values

// newTensors allocates fields for n samples.
func newTensors(fields []Field, n int) Tensors {
	t := make(Tensors, len(fields))
	for i, f := range fields {
		if f.DType == tensor.Int32 {
			t[i].Int32 = make([]int32, n*f.size())
		} else {
			t[i].Float32 = make([]float32, n*f.size())
		}
	}
	return t
}

// sample returns the part of t, which holds several samples of fields, that belongs to sample i.
func (t Tensors) sample(fields []Field, i int) Tensors {
	part := make(Tensors, len(fields))
	for k, f := range fields {
		part[k] = t[k].slice(i*f.size(), (i+1)*f.size())
	}
	return part
}

// checkFields panics when the fields of a pipeline make no sense. A loader calls it once, so that its workers need not.
func checkFields(fields []Field) {
	if len(fields) == 0 {
		panic("data: pipeline without outputs")
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if f.Name == "" || seen[f.Name] {
			panic(fmt.Sprintf("data: pipeline with fields %s: each needs a name of its own", fieldNames(fields)))
		}
		seen[f.Name] = true
		if f.DType != tensor.Float32 && f.DType != tensor.Int32 {
			panic(fmt.Sprintf("data: pipeline with field %s of %v: must be float32 or int32", f.Name, f.DType))
		}
		if slices.ContainsFunc(f.Shape, func(d int) bool { return d < 1 }) {
			panic(fmt.Sprintf("data: pipeline with field %s of shape %v", f.Name, f.Shape))
		}
	}
}

// fieldNames lists the names, for panics.
func fieldNames(fields []Field) string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
