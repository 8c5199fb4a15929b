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

// ElementLoss applies op to each element.
func (c *cpuBackend) ElementLoss(op LossOp, dst, x, t *Tensor, delta float32) {
	d, a, b := f32(dst), f32(x), f32(t)
	split(len(d), 4, func(lo, hi int) {
		d, a, b := d[lo:hi], a[lo:hi], b[lo:hi]
		switch op {
		case LossBCE:
			buf, room := scratch(dst, 2*piece)
			defer buf.Release()
			c.bce(room, d, a, b)
		case LossL1:
			c.vec.Sub(d, a, b)
			abs(d, d)
		case LossHuber:
			for i, x := range a {
				d[i] = huber(x-b[i], delta)
			}
		}
	})
}

// bce is max(x, 0) − x·t + log(1+e) with e = exp(−|x|). The logarithm of the rounded u = 1+e is brought to that of 1+e by the factor e/(u−1)
// (Goldberg, "What every computer scientist should know about floating-point arithmetic", 1991, theorem 4). room is for two pieces.
func (c *cpuBackend) bce(room, dst, x, t []float32) {
	for lo := 0; lo < len(x); lo += piece {
		d, x, t := dst[lo:min(len(x), lo+piece)], x[lo:min(len(x), lo+piece)], t[lo:]
		e, u := room[:len(x)], room[piece:piece+len(x)]
		abs(e, x)
		c.vec.Affine(e, e, -1, 0)
		c.vec.Exp(e, e)
		c.vec.Affine(u, e, 1, 1)
		c.vec.Log(d, u)
		for i, v := range x {
			log := e[i]
			if u[i] != 1 {
				log = d[i] * (e[i] / (u[i] - 1))
			}
			d[i] = (max(v, 0) - v*t[i]) + log
		}
	}
}

// huber is the Huber loss of a difference.
func huber(d, delta float32) float32 {
	size := max(d, -d)
	if size <= delta {
		return 0.5 * d * d
	}
	return delta * (size - 0.5*delta)
}

// ElementLossGrad: σ(x) − t, the sign of x−t, or x−t within ±delta, times the upstream gradient.
func (c *cpuBackend) ElementLossGrad(op LossOp, dx, dy, x, t *Tensor, delta float32) {
	d, g, a, b := f32(dx), f32(dy), f32(x), f32(t)
	split(len(d), 4, func(lo, hi int) {
		d, a, b := d[lo:hi], a[lo:hi], b[lo:hi]
		up := func(int) float32 { return g[0] }
		if len(g) > 1 {
			up = func(i int) float32 { return g[lo+i] }
		}
		switch op {
		case LossBCE:
			t, s := scratch(dx, len(d)) // d may be g
			defer t.Release()
			c.vec.Sigmoid(s, a)
			for i, v := range s {
				d[i] = up(i) * (v - b[i])
			}
		case LossL1:
			for i, v := range a {
				d[i] = up(i) * sign(v-b[i])
			}
		case LossHuber:
			for i, v := range a {
				d[i] = up(i) * min(max(v-b[i], -delta), delta)
			}
		}
	})
}

// sign is 1, -1, or for 0 and NaN x itself.
func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
