package data

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Mixing configures mixup (arXiv 1710.09412) and cutmix (arXiv 1905.04899), which mix the images of a batch in pairs: the first with the last and
// so on. Where both are on, each batch draws one of them with equal probability. The middle image of an odd number stays as it is.
type Mixing struct {
	Mixup, Cutmix float64 // alpha of the Beta distribution that shares are drawn from; 0 for off
}

// On reports whether images are mixed at all.
func (x Mixing) On() bool { return x.Mixup > 0 || x.Cutmix > 0 }

// Mix describes how one batch is mixed.
type Mix struct {
	Share float64         // weight of an image's own label (lambda in the papers); its partner's has the rest
	Box   image.Rectangle // region that cutmix takes from the partner; empty for mixup, which blends all pixels
}

// Draw draws the mix of a batch of images of w x h. It panics when mixing is off.
func (x Mixing) Draw(w, h int, r *tensor.Rand) Mix {
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
	share := beta(x.Cutmix, r)
	return cutMix(share, r.IntN(w), r.IntN(h), w, h)
}

// cutMix returns the mix whose box has the centre (cx, cy) and covers 1 - share of the image before it is clipped at the border.
func cutMix(share float64, cx, cy, w, h int) Mix {
	half := func(side int) int { return int(float64(side)*math.Sqrt(1-share)) / 2 }
	box := image.Rect(cx-half(w), cy-half(h), cx+half(w), cy+half(h)).Intersect(image.Rect(0, 0, w, h))
	return Mix{Share: 1 - float64(box.Dx()*box.Dy())/float64(w*h), Box: box}
}

// Apply mixes images, (B, channels, h, w), in place.
func (m Mix) Apply(images []float32, channels, w, h int) {
	one := channels * w * h
	n := len(images) / one
	tensor.ParallelFor(n/2, func(i int) {
		a, b := images[i*one:(i+1)*one], images[(n-1-i)*one:(n-i)*one]
		if m.Box.Empty() {
			if m.Share < 1 {
				blendPair(a, b, float32(m.Share))
			}
			return
		}
		for c := range channels {
			for y := m.Box.Min.Y; y < m.Box.Max.Y; y++ {
				lo, hi := (c*h+y)*w+m.Box.Min.X, (c*h+y)*w+m.Box.Max.X
				for j := lo; j < hi; j++ {
					a[j], b[j] = b[j], a[j]
				}
			}
		}
	})
}

// blendPair mixes each of two images with the other.
func blendPair(a, b []float32, share float32) {
	rest := 1 - share
	for j, v := range a {
		w := b[j]
		a[j], b[j] = float32(share*v)+float32(rest*w), float32(share*w)+float32(rest*v)
	}
}

// Targets returns the soft labels, (B, classes), of a mixed batch with label smoothing s. Before mixing, the true class has 1 - s + s/classes and each
// other class s/classes.
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

// logGamma draws the logarithm of a number from the Gamma distribution (Marsaglia and Tsang, 2000). The number itself would underflow for small a.
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
