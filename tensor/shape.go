package tensor

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Shape is the size of each axis, outermost first. A scalar has shape [].
type Shape []int

// Size returns the number of elements.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// checked returns a copy of s, and panics when a size is negative or the elements are more than memory can have.
func (s Shape) checked(op string) Shape {
	mustf(!slices.ContainsFunc(s, func(d int) bool { return d < 0 }), op, []Shape{s}, "negative size")
	n := 1
	if !slices.Contains(s, 0) {
		for _, d := range s {
			mustf(n <= maxElements/d, op, []Shape{s}, "more elements than memory can have")
			n *= d
		}
	}
	return slices.Clone(s)
}

// maxElements keeps byte counts of 4-byte elements, rounded up by the pool, inside an int.
const maxElements = math.MaxInt / 16

// Equal reports whether both shapes are the same.
func (s Shape) Equal(o Shape) bool { return slices.Equal(s, o) }

// String formats a shape like [2 3].
func (s Shape) String() string { return fmt.Sprint([]int(s)) }

// rowMajor returns the strides, in elements, of a contiguous tensor of shape s.
func (s Shape) rowMajor() []int {
	strides := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		strides[i] = n
		n *= s[i]
	}
	return strides
}

// Broadcast returns the common shape of a and b by NumPy's rule, and whether there is one: aligned at the last axis, sizes must be equal or
// one of them 1.
func Broadcast(a, b Shape) (Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		switch at := &out[len(a)-len(b)+i]; {
		case *at == d || d == 1:
		case *at == 1:
			*at = d
		default:
			return nil, false
		}
	}
	return out, true
}

// ShapeError is the value of a panic caused by tensors whose shapes do not fit an operation.
type ShapeError struct {
	Op     string
	Shapes []Shape
	Reason string
}

// Error names the operation, the shapes and the reason, for example "tensor: MatMul: [32 768] x [512 768]: inner sizes differ".
func (e *ShapeError) Error() string {
	var b strings.Builder
	b.WriteString("tensor: " + e.Op)
	for i, s := range e.Shapes {
		between := " x "
		if i == 0 {
			between = ": "
		}
		b.WriteString(between + s.String())
	}
	return b.String() + ": " + e.Reason
}

// Error is the value of a panic caused by any other misuse, such as tensors on two devices, a wrong dtype, or a tensor used after its
// release. It is also the panic of a download after a fault of the device.
type Error struct {
	Op     string
	Reason string
	Err    error // what the device said, nil when it is a mistake of the program
}

// Unwrap returns the error of the device, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Error names the operation and the reason.
func (e *Error) Error() string { return "tensor: " + e.Op + ": " + e.Reason }

// mustf panics with a ShapeError unless ok.
func mustf(ok bool, op string, shapes []Shape, format string, args ...any) {
	if !ok {
		panic(&ShapeError{Op: op, Shapes: shapes, Reason: fmt.Sprintf(format, args...)})
	}
}

// shapeOf is t's shape for an error, [] for nil.
func shapeOf(t *Tensor) Shape {
	if t == nil {
		return nil
	}
	return t.shape
}
