package data

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Mixing says how the pictures of a batch are mixed in pairs, the first with the last and so on: by mixup (arXiv 1710.09412), by cutmix (arXiv 1905.04899),
// or, where both are on, by one of them, drawn evenly for each batch. In a batch of an odd number, the one in the middle stays as it is.
type Mixing struct {
	Mixup, Cutmix float64 // parameters of the Beta distributions that shares are drawn from; 0: off
}

// On says whether pictures are mixed at all.
func (x Mixing) On() bool { return x.Mixup > 0 || x.Cutmix > 0 }

// Mix is how one batch is mixed.
type Mix struct {
	Share float64         // of a picture itself in its label; the rest is its partner's
	Box   image.Rectangle // the part that comes from the partner; empty for mixup, where both shine through everywhere
}

// Draw draws a mix for pictures of the given side. It panics when mixing is off.
func (x Mixing) Draw(size int, r *tensor.Rand) Mix {
	if !x.On() {
		panic("data: Mixing: Draw: both kinds are off")
	}
	cut := x.Cutmix > 0
	if cut && x.Mixup > 0 {
		cut = r.Uint32()&1 == 1
	}
	if !cut {
		return Mix{Share: beta(x.Mixup, r)}
	}
	return cutMix(beta(x.Cutmix, r), r.IntN(size), r.IntN(size), size)
}

// cutMix is the mix whose box, before it is cut at the picture's border, has the middle (cx, cy) and covers 1 - share.
func cutMix(share float64, cx, cy, size int) Mix {
	side := int(float64(size) * math.Sqrt(1-share))
	half := side / 2
	box := image.Rect(cx-half, cy-half, cx+half, cy+half).Intersect(image.Rect(0, 0, size, size))
	return Mix{Share: 1 - float64(box.Dx()*box.Dy())/float64(size*size), Box: box}
}

// Apply mixes images (B, 3, size, size) in place.
func (m Mix) Apply(images []float32, size int) {
	one := 3 * size * size
	n := len(images) / one
	tensor.ParallelFor(n/2, func(i int) {
		a, b := images[i*one:(i+1)*one], images[(n-1-i)*one:(n-i)*one]
		if m.Box.Empty() {
			if m.Share < 1 {
				blendPair(a, b, float32(m.Share))
			}
			return
		}
		for c := range 3 {
			for y := m.Box.Min.Y; y < m.Box.Max.Y; y++ {
				lo, hi := (c*size+y)*size+m.Box.Min.X, (c*size+y)*size+m.Box.Max.X
				for j := lo; j < hi; j++ {
					a[j], b[j] = b[j], a[j]
				}
			}
		}
	})
}

// blendPair mixes each of two pictures with the other.
func blendPair(a, b []float32, share float32) {
	rest := 1 - share
	for j, v := range a {
		w := b[j]
		a[j], b[j] = float32(share*v)+float32(rest*w), float32(share*w)+float32(rest*v)
	}
}

// Targets are the soft labels (B, classes) of a mixed batch whose labels are given, smoothed: the true class has 1 - s + s/classes, each other s/classes.
func (m Mix) Targets(labels []int32, classes int, smoothing float64) []float32 {
	n, off := len(labels), smoothing/float64(classes)
	out := make([]float32, n*classes)
	for i := range out {
		out[i] = float32(off)
	}
	for i, own := range labels {
		row, partner := out[i*classes:(i+1)*classes], labels[n-1-i]
		row[own] += float32(m.Share * (1 - smoothing))
		row[partner] += float32((1 - m.Share) * (1 - smoothing))
	}
	return out
}

// beta draws from the Beta distribution of two equal parameters.
func beta(a float64, r *tensor.Rand) float64 {
	x, y := logGamma(a, r), logGamma(a, r)
	return 1 / (1 + math.Exp(y-x))
}

// logGamma draws the logarithm of a number from the Gamma distribution (Marsaglia and Tsang, 2000), which for small a would underflow.
func logGamma(a float64, r *tensor.Rand) float64 {
	boost := 0.0
	if a < 1 {
		boost = math.Log(1-r.Float64()) / a
		a++
	}
	d := a - 1.0/3
	for {
		x := r.Norm()
		v := 1 + x/math.Sqrt(9*d)
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return math.Log(d) + math.Log(v) + boost
		}
	}
}
