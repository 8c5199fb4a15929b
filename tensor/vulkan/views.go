//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// axes is how many axes a shader takes; see shaders/include/strided.glsl.
const axes = 6

// views is the iteration space of tensors of one shape with different strides, in as few axes as possible. Axes of size 1 are dropped.
// Adjacent axes with matching strides in every tensor are merged. There are at least axes of them, the first ones of size 1.
type views struct {
	shape   []int
	strides [][]int // of each tensor
}

func newViews(ts ...*tensor.Tensor) views {
	v := views{strides: make([][]int, len(ts))}
	for axis, size := range ts[0].Shape() {
		if size == 1 {
			continue
		}
		last := len(v.shape) - 1
		merge := last >= 0
		for k, t := range ts {
			merge = merge && v.strides[k][last] == t.Strides()[axis]*size
		}
		if merge {
			v.shape[last] *= size
		} else {
			v.shape = append(v.shape, size)
		}
		for k, t := range ts {
			if merge {
				v.strides[k][last] = t.Strides()[axis]
			} else {
				v.strides[k] = append(v.strides[k], t.Strides()[axis])
			}
		}
	}
	for len(v.shape) < axes {
		v.shape = append([]int{1}, v.shape...)
		for k := range v.strides {
			v.strides[k] = append([]int{0}, v.strides[k]...)
		}
	}
	return v
}

// each calls f for every index of the axes that are too many for a shader, with the first element of each tensor there. Mostly once.
func (v views) each(f func(first []int)) {
	extra := len(v.shape) - axes
	index, first := make([]int, extra), make([]int, len(v.strides))
	for {
		for k := range first {
			first[k] = 0
			for axis, i := range index {
				first[k] += i * v.strides[k][axis]
			}
		}
		f(first)
		axis := extra - 1
		for ; axis >= 0; axis-- {
			if index[axis]++; index[axis] < v.shape[axis] {
				break
			}
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// size is the number of elements that one dispatch covers, words the push constants: the sizes, then each tensor's strides.
func (v views) size() int {
	n := 1
	for _, s := range v.shape[len(v.shape)-axes:] {
		n *= s
	}
	return n
}

func (v views) words(which ...int) []uint32 {
	var w []uint32
	for _, s := range v.shape[len(v.shape)-axes:] {
		w = append(w, u(s))
	}
	for _, k := range which {
		for _, s := range v.strides[k][len(v.shape)-axes:] {
			w = append(w, u(s))
		}
	}
	return w
}

// from is the argument without its first n elements.
func (a arg) from(n int) arg { return a.part(n, int(a.n)-n) }

// inSight reports whether a shader sees each of the tensors, of one shape, whole. Where not, it calls f for both halves of them instead, cut along
// the first axis that can be.
func (b *backend) inSight(f func(half []*tensor.Tensor), ts ...*tensor.Tensor) bool {
	most := (b.caps.maxRange - b.caps.align) / 4
	whole := true
	for _, t := range ts {
		whole = whole && read(t).n <= most
	}
	axis := slices.IndexFunc(ts[0].Shape(), func(n int) bool { return n > 1 })
	if whole || axis < 0 {
		return true
	}
	n := ts[0].Shape()[axis]
	for _, r := range [][2]int{{0, n / 2}, {n / 2, n}} {
		half := make([]*tensor.Tensor, len(ts))
		for i, t := range ts {
			half[i] = t.Slice(axis, r[0], r[1])
		}
		f(half)
	}
	return false
}
