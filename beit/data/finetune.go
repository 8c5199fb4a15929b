package data

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// FineTune is the augmentation of supervised training (timm 0.4.12): a crop, a flip of every second picture, RandAugment or else colour
// jitter, normalisation, random erasing.
type FineTune struct {
	View   View
	Scale  [2]float64 // share of the picture's area that a random resized crop covers
	Padded bool       // in place of it: the padded crop of PadCrop, by Pad pixels, which mirrors as in pretraining where torchvision's pads with black
	Pad    int
	Rand   *RandAugment // nil: none
	Jitter float64      // strength of colour changes where Rand is nil
	Erase  float64      // probability that a rectangle becomes noise
}

// Outputs implements Pipeline.
func (p *FineTune) Outputs() []Field { return []Field{p.View.field()} }

// Apply implements Pipeline.
func (p *FineTune) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	checkDestinations(dst, 1)
	out := dst[0].Float32
	flip := r.Uint32()&1 == 1
	m := p.crop(s.Image, r)
	if p.Rand == nil && p.Jitter == 0 {
		ToFloat(out, m, p.View.Norm, flip)
	} else {
		if flip {
			m = Flip(m)
		}
		if p.Rand != nil {
			m = p.Rand.Apply(m, r)
		} else {
			m = jitter(m, p.Jitter, r)
		}
		ToFloat(out, m, p.View.Norm, false)
	}
	if r.Float64() < p.Erase {
		erase(out, p.View.Size, EraseBox(p.View.Size, r), r)
	}
}

func (p *FineTune) crop(m Image, r *tensor.Rand) *RGB {
	size := p.View.Size
	if !p.Padded {
		w, h := m.Size()
		part, box := cut(m, RandomBox(w, h, p.Scale, r))
		return Resize(part, box, size, size, p.View.Filter)
	}
	left, top := r.IntN(2*p.Pad+1), r.IntN(2*p.Pad+1)
	return padCrop(resizeCentre(m, size, size, p.View.Filter), p.Pad, left, top, size)
}

// Shapes of erased rectangles (timm 0.4.12, RandomErasing).
const (
	leastErased = 0.02 // share of the area
	mostErased  = 1.0 / 3
	leastAspect = 0.3 // of height to width; the largest is its inverse
	eraseTries  = 10
)

// EraseBox draws the rectangle that random erasing fills in a picture of size x size: an area from 2 to 33.3 %, the logarithm of its aspect
// uniform between those of 0.3 and its inverse. It is empty when ten tries do not fit.
func EraseBox(size int, r *tensor.Rand) image.Rectangle {
	for range eraseTries {
		area := r.Uniform(leastErased, mostErased) * float64(size*size)
		aspect := math.Exp(r.Uniform(math.Log(leastAspect), -math.Log(leastAspect)))
		h, w := int(math.RoundToEven(math.Sqrt(area*aspect))), int(math.RoundToEven(math.Sqrt(area/aspect)))
		if h < size && w < size {
			top, left := r.IntN(size-h+1), r.IntN(size-w+1)
			return image.Rect(left, top, left+w, top+h)
		}
	}
	return image.Rectangle{}
}

// erase fills box of a normalised picture (3, size, size) with standard normal numbers.
func erase(x []float32, size int, box image.Rectangle, r *tensor.Rand) {
	for c := range 3 {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			row := x[(c*size+y)*size:][:size]
			for i := box.Min.X; i < box.Max.X; i++ {
				row[i] = float32(r.Norm())
			}
		}
	}
}
