package tensor

import (
	"math"
	"slices"
)

// Arange returns the integers lo … hi-1, Int32 [hi-lo]. It panics when hi < lo, or one of them is beyond Int32.
func Arange(dev *Device, lo, hi int) *Tensor {
	mustf(lo <= hi && lo >= math.MinInt32 && hi-1 <= math.MaxInt32, "Arange", nil, "from %d to %d", lo, hi)
	y := newTensor(dev, "Arange", Int32, hi-lo)
	data := make([]int32, hi-lo)
	for i := range data {
		data[i] = int32(lo + i)
	}
	y.uploadInts("Arange", data)
	return y
}

// Linspace returns n numbers at equal distances from lo to hi, Float32 [n]. The first is lo, and of two or more the last is hi.
func Linspace(dev *Device, lo, hi float32, n int) *Tensor {
	y := newTensor(dev, "Linspace", Float32, n)
	data := make([]float32, n)
	for i := range data {
		part := float64(i) / float64(max(n-1, 1))
		data[i] = float32((1-part)*float64(lo) + part*float64(hi))
	}
	y.upload("Linspace", data)
	return y
}

// OneHot returns Float32 [.., k]: 1 at the place that a label of labels, Int32 [..], names, else 0. A label outside [0, k) gives zeros.
func OneHot(labels *Tensor, k int) *Tensor {
	c := begin("OneHot", "labels", labels)
	defer c.end()
	mustf(labels.dtype == Int32, c.op, []Shape{labels.shape}, "dtype is %v, want int32", labels.dtype)
	mustf(k >= 0, c.op, []Shape{labels.shape}, "%d classes", k)
	classes := Arange(c.dev, 0, k)
	defer classes.Release()
	y := c.out(append(slices.Clone(labels.shape), k)...)
	column := c.in(labels, Int32)
	column = column.Reshape(append(slices.Clone(labels.shape), 1)...)
	c.binary(y, BinaryEqual, column, classes)
	return y
}

// RandNormal returns normal numbers of mean 0 and standard deviation 1, drawn from r, which NewRand makes: equal on all devices for an equal
// seed and path.
func RandNormal(dev *Device, r *Rand, shape ...int) *Tensor {
	return drawn("RandNormal", dev, r, (*Rand).Norm, shape)
}

// RandUniform returns uniform numbers between lo and hi, drawn from r as those of RandNormal are. Rounding may give hi itself.
func RandUniform(dev *Device, r *Rand, lo, hi float64, shape ...int) *Tensor {
	return drawn("RandUniform", dev, r, func(r *Rand) float64 { return r.Uniform(lo, hi) }, shape)
}

// drawn fills a tensor with numbers from r in row-major order, for a call of op.
func drawn(op string, dev *Device, r *Rand, next func(r *Rand) float64, shape []int) *Tensor {
	t := newTensor(dev, op, Float32, shape...)
	mustf(r != nil, op, []Shape{shape}, "the generator is nil")
	data := make([]float32, t.Size())
	for i := range data {
		data[i] = float32(next(r))
	}
	t.upload(op, data)
	return t
}
