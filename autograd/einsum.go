package autograd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// Einsum returns the sum of products of two factors that spec names as numpy.einsum does, such as "bqd,bkd->bqk". Every letter is an axis, and axes
// that the result lacks are summed over. A letter stands once in each factor and in the result, which is given; there is no ellipsis. It is computed
// as one batched matmul, at the tape's precision.
func Einsum(spec string, a, b *Var) *Var {
	begin("Einsum", "a, b", a, b)
	floats("Einsum", a.value, b.value)
	e := newEinsum(spec, a.Shape(), b.Shape())
	a, left := e.sumOthers(a, e.left, e.right)
	b, right := e.sumOthers(b, e.right, e.left)
	both := func(l byte) bool { return among(left, l) && among(right, l) }
	batch := keep(e.out, both)
	rows := keep(e.out, func(l byte) bool { return !among(right, l) })
	columns := keep(e.out, func(l byte) bool { return !among(left, l) })
	inner := keep(left, func(l byte) bool { return both(l) && !among(e.out, l) })
	x := Reshape(reorder(a, left, batch+rows+inner), e.size(batch), e.size(rows), e.size(inner))
	y := Reshape(reorder(b, right, batch+inner+columns), e.size(batch), e.size(inner), e.size(columns))
	made := batch + rows + columns
	return reorder(Reshape(MatMul(x, y), e.shape(made)...), made, e.out)
}

// einsum is a parsed spec: the letters of the factors and of the result, and the size of each.
type einsum struct {
	left, right, out string
	sizes            map[byte]int
}

// newEinsum parses a spec for factors of two shapes, and panics when it does not fit them.
func newEinsum(spec string, a, b tensor.Shape) einsum {
	fail := func(reason string) {
		panic(&tensor.ShapeError{Op: "Einsum", Shapes: []tensor.Shape{a, b}, Reason: fmt.Sprintf("%q: %s", spec, reason)})
	}
	factors, out, arrow := strings.Cut(strings.ReplaceAll(spec, " ", ""), "->")
	left, right, comma := strings.Cut(factors, ",")
	if !arrow || !comma {
		fail(`want two factors and a result, such as "ij,jk->ik"`)
	}
	e := einsum{left: left, right: right, out: out, sizes: map[byte]int{}}
	for _, f := range []struct {
		letters string
		shape   tensor.Shape
	}{{left, a}, {right, b}} {
		if len(f.letters) != len(f.shape) {
			fail(fmt.Sprintf("%d letters for %d axes", len(f.letters), len(f.shape)))
		}
		for i, n := range f.shape {
			if known, ok := e.sizes[f.letters[i]]; ok && known != n {
				fail(fmt.Sprintf("the axes %c have sizes %d and %d", f.letters[i], known, n))
			}
			e.sizes[f.letters[i]] = n
		}
	}
	for _, letters := range []string{left, right, out} {
		for i := range len(letters) {
			switch l := letters[i]; {
			case !('a' <= l && l <= 'z' || 'A' <= l && l <= 'Z'):
				fail(fmt.Sprintf("%q is no letter", l))
			case among(letters[:i], l):
				fail(fmt.Sprintf("%c stands twice", l))
			case !among(left+right, l):
				fail(fmt.Sprintf("%c is an axis of no factor", l))
			}
		}
	}
	return e
}

// sumOthers sums a factor over the axes that neither the other factor nor the result has, and returns its remaining letters.
func (e einsum) sumOthers(x *Var, letters, other string) (*Var, string) {
	for i := len(letters) - 1; i >= 0; i-- {
		if !among(other+e.out, letters[i]) {
			x = Sum(x, i)
			letters = letters[:i] + letters[i+1:]
		}
	}
	return x, letters
}

// shape is the sizes of the axes.
func (e einsum) shape(letters string) tensor.Shape {
	shape := make(tensor.Shape, len(letters))
	for i := range shape {
		shape[i] = e.sizes[letters[i]]
	}
	return shape
}

func (e einsum) size(letters string) int { return e.shape(letters).Size() }

// among reports whether a letter is among letters.
func among(letters string, l byte) bool { return strings.IndexByte(letters, l) >= 0 }

// keep returns the letters for which f holds.
func keep(letters string, f func(l byte) bool) string {
	return string(slices.DeleteFunc([]byte(letters), func(l byte) bool { return !f(l) }))
}

// reorder returns x, whose axes are from, with its axes in the order to.
func reorder(x *Var, from, to string) *Var {
	if from == to {
		return x
	}
	order := make([]int, len(to))
	for i := range order {
		order[i] = strings.IndexByte(from, to[i])
	}
	return Permute(x, order...)
}
