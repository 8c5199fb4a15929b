package autograd

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// begin begins an operation with the Vars that it needs, and returns their tape. names are their names, for the panic where one is nil. The
// last name stands for all that follow.
func begin(op, names string, vars ...*Var) *Tape {
	given(op, names, vars...)
	t := vars[0].tape
	t.with(op, vars...)
	return t
}

// with checks that Vars, of which some may be nil, are on the tape and not behind an earlier Backward.
func (t *Tape) with(op string, vars ...*Var) {
	for _, v := range vars {
		switch {
		case v == nil:
		case v.tape != t:
			panic(&tensor.Error{Op: op, Reason: "inputs on two tapes"})
		case v.done && t.quiet == 0: // what made it is forgotten, so a gradient would end here
			panic(&tensor.Error{Op: op, Reason: "an input was gone through by an earlier Backward"})
		}
	}
}

// given panics when one of the Vars that an operation needs is nil, or there are none.
func given(op, names string, vars ...*Var) {
	if len(vars) == 0 {
		panic(&tensor.Error{Op: op, Reason: "there are no inputs"})
	}
	for i, v := range vars {
		if v.tensor() == nil {
			list := strings.Split(names, ", ")
			has(op, list[min(i, len(list)-1)], nil)
		}
	}
}

// has panics when a tensor that an operation needs is nil.
func has(op, name string, t *tensor.Tensor) {
	if t == nil {
		panic(&tensor.Error{Op: op, Reason: name + " is nil"})
	}
}

// floats panics when the elements of a tensor are not Float32. Operations that call others check it before, under their own name.
func floats(op string, ts ...*tensor.Tensor) {
	for _, t := range ts {
		if t.DType() != tensor.Float32 {
			panic(&tensor.ShapeError{Op: op, Shapes: []tensor.Shape{t.Shape()}, Reason: fmt.Sprintf("dtype is %v, want float32", t.DType())})
		}
	}
}

// made panics when the tape is nil or no function made it.
func (t *Tape) made(op string) {
	if t == nil || t.dev == nil {
		panic(&tensor.Error{Op: op, Reason: "the tape is nil, or a Tape{}: use NewTape"})
	}
}
