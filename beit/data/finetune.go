package data

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// FineTune is the augmentation of supervised training, as in timm 0.4.12: a random crop, a horizontal flip of half of the images, RandAugment or
// else colour jitter, normalisation, random erasing.
type FineTune struct {
	View   View
	Scale  [2]float64   // range of the crop's area in a random resized crop, as a share of the image's
	Padded bool         // crop as PadCrop does instead
	Pad    int          // mirrored pixels on each side where Padded is set (torchvision pads with black)
	Rand   *RandAugment // nil: none
	Jitter float64      // strength of the colour jitter where Rand is nil
	Erase  float64      // probability that random erasing fills a box with noise
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

// Settings of RandomErasing in timm 0.4.12.
const (
	minErased  = 0.02 // share of the area
	maxErased  = 1.0 / 3
	minAspect  = 0.3 // of height to width; the largest is its inverse
	eraseTries = 10
)

// EraseBox draws the box of random erasing in an image of size x size. Its share of the area is uniform from 2 to 33.3 %, and the logarithm of
// its aspect ratio is uniform between those of 0.3 and 1/0.3. The box is empty when ten tries do not fit.
func EraseBox(size int, r *tensor.Rand) image.Rectangle {
	for range eraseTries {
		area := r.Uniform(minErased, maxErased) * float64(size*size)
		aspect := math.Exp(r.Uniform(math.Log(minAspect), -math.Log(minAspect)))
		h, w := int(math.RoundToEven(math.Sqrt(area*aspect))), int(math.RoundToEven(math.Sqrt(area/aspect)))
		if h < size && w < size {
			top, left := r.IntN(size-h+1), r.IntN(size-w+1)
			return image.Rect(left, top, left+w, top+h)
		}
	}
	return image.Rectangle{}
}

// erase fills box of a normalised image (3, size, size) with standard normal numbers.
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
