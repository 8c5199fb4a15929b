package tensor

import (
	"fmt"
	"math"
)

// targets reads the labels of a, or nil, checked against K classes, and how many rows are in the mean.
func (a *CrossEntropyArgs) targets(r, k int) (labels []int32, counted int) {
	if a.Labels == nil {
		return nil, r
	}
	labels = i32(a.Labels)
	for row, l := range labels {
		if int(l) >= k {
			panic(&Error{Op: "CrossEntropy", Reason: fmt.Sprintf("label %d in row %d, but there are %d classes", l, row, k)})
		}
		if l >= 0 {
			counted++
		}
	}
	if a.OverAll {
		counted = r
	}
	return labels, counted
}

// CrossEntropy sums the rows' losses in float64.
func (c *cpuBackend) CrossEntropy(a CrossEntropyArgs) {
	r, k := a.Logits.shape[0], a.Logits.shape[1]
	logits, lse := f32(a.Logits), f32(a.LSE)
	labels, counted := a.targets(r, k)
	smooth := float64(a.Smoothing)
	total := sumRows(r, 4*k, func(lo, hi int) float64 {
		t, buf := scratch(a.Logits, k)
		defer t.Release()
		sum := 0.0
		for i := lo; i < hi; i++ {
			x := logits[i*k : (i+1)*k]
			top := c.vec.MaxValue(x)
			l := float64(top) + math.Log(float64(c.vec.ExpSum(buf, x, top)))
			lse[i] = float32(l)
			switch {
			case labels == nil:
				soft := f32(a.Soft)[i*k : (i+1)*k]
				sum += l*float64(c.vec.Sum(soft)) - float64(c.vec.Dot(soft, x))
			case labels[i] >= 0:
				sum += l - (1-smooth)*float64(x[labels[i]])
				if smooth != 0 {
					sum -= smooth / float64(k) * float64(c.vec.Sum(x))
				}
			}
		}
		return sum
	})
	f32(a.Loss)[0] = float32(total / float64(max(counted, 1)))
}

// CrossEntropyGrad: (softmax·Σ target − target)·dloss/rows for each row that counts, 0 for the others.
func (c *cpuBackend) CrossEntropyGrad(dlogits, dloss *Tensor, a CrossEntropyArgs) {
	r, k := a.Logits.shape[0], a.Logits.shape[1]
	out, logits, lse := f32(dlogits), f32(a.Logits), f32(a.LSE)
	labels, counted := a.targets(r, k)
	up := f32(dloss)[0] / float32(max(counted, 1))
	c.rows(a.Logits, func(lo, hi, k int) {
		for i := lo; i < hi; i++ {
			d, x := out[i*k:(i+1)*k], logits[i*k:(i+1)*k]
			if labels != nil && labels[i] < 0 {
				clear(d)
				continue
			}
			c.vec.ExpSum(d, x, lse[i])
			if labels == nil {
				soft := f32(a.Soft)[i*k : (i+1)*k]
				c.vec.Affine(d, d, up*c.vec.Sum(soft), 0)
				c.vec.AddScaled(d, soft, -up)
				continue
			}
			c.vec.Affine(d, d, up, -up*a.Smoothing/float32(k))
			d[labels[i]] -= up * (1 - a.Smoothing)
		}
	})
}

// cosineEps bounds the norms of the cosine loss from below.
const cosineEps = 1e-12

// cosine returns x·t and both norms of one row.
func (c *cpuBackend) cosine(x, t []float32) (dot, nx, nt float64) {
	return float64(c.vec.Dot(x, t)), math.Sqrt(c.vec.SumSquares(x)), math.Sqrt(c.vec.SumSquares(t))
}

// CosineLoss sums the rows' losses in float64; the mean over no rows is 0.
func (c *cpuBackend) CosineLoss(loss, x, t *Tensor) {
	m, d := x.shape[0], x.shape[1]
	a, b := f32(x), f32(t)
	total := sumRows(m, 2*d, func(lo, hi int) float64 {
		sum := 0.0
		for i := lo; i < hi; i++ {
			dot, nx, nt := c.cosine(a[i*d:(i+1)*d], b[i*d:(i+1)*d])
			sum += 1 - dot/(max(nx, cosineEps)*max(nt, cosineEps))
		}
		return sum
	})
	f32(loss)[0] = float32(total / float64(max(m, 1)))
}

// CosineLossGrad: dx = −dloss/M·(t/(‖x‖·‖t‖) − x·(x·t)/(‖x‖³·‖t‖)) for each row; where ‖x‖ is below eps only the first term, over eps.
func (c *cpuBackend) CosineLossGrad(dx, dloss, x, t *Tensor) {
	m := x.shape[0]
	out, a, b := f32(dx), f32(x), f32(t)
	up := float64(f32(dloss)[0]) / float64(max(m, 1))
	c.rows(x, func(lo, hi, d int) {
		for i := lo; i < hi; i++ {
			o, s, u := out[i*d:(i+1)*d], a[i*d:(i+1)*d], b[i*d:(i+1)*d]
			dot, nx, nt := c.cosine(s, u)
			scale := -up / (max(nx, cosineEps) * max(nt, cosineEps))
			c.vec.Affine(o, u, float32(scale), 0)
			if nx > cosineEps {
				c.vec.AddScaled(o, s, float32(-scale*dot/(nx*nx)))
			}
		}
	})
}
