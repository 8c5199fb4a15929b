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

// Outputs implements Pipeline. It panics where RandAugment or colour jitter are to change images that are not RGB of 8 bits.
func (p *FineTune) Outputs() []Field {
	if p.View.Bands != nil && (p.Rand != nil || p.Jitter > 0) {
		panic("data: FineTune: RandAugment or colour jitter of images that are not RGB of 8 bits")
	}
	return []Field{p.View.field()}
}

// Apply implements Pipeline.
func (p *FineTune) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	checkDestinations(dst, 1)
	out := dst[0].Float32
	flip := r.Uint32()&1 == 1
	m := p.crop(s.Image, r)
	if rgb, ok := m.(*RGB); ok && (p.Rand != nil || p.Jitter > 0) {
		ToFloat(out, p.distorted(rgb, flip, r), p.View.Norm, false)
	} else {
		m.write(out, p.View, flip)
	}
	if r.Float64() < p.Erase {
		h, w := p.View.size()
		erase(out, w, h, EraseBox(w, h, r), r)
	}
}

// distorted flips an image, and changes its colours.
func (p *FineTune) distorted(m *RGB, flip bool, r *tensor.Rand) *RGB {
	if flip {
		m = Flip(m)
	}
	if p.Rand != nil {
		return p.Rand.Apply(m, r)
	}
	return jitter(m, p.Jitter, r)
}

func (p *FineTune) crop(m Image, r *tensor.Rand) rendered {
	if !p.Padded {
		w, h := m.Size()
		box := randomBox(w, h, p.Scale, p.View.aspect(), r)
		if p.View.Bands == nil {
			m, box = cut(m, box)
		}
		return p.View.box(m, box)
	}
	left, top := r.IntN(2*p.Pad+1), r.IntN(2*p.Pad+1)
	h, w := p.View.size()
	return p.View.centre(m, w, h).padCrop(p.Pad, left, top)
}

// Settings of RandomErasing in timm 0.4.12.
const (
	minErased  = 0.02 // share of the area
	maxErased  = 1.0 / 3
	minAspect  = 0.3 // of height to width; the largest is its inverse
	eraseTries = 10
)

// EraseBox draws the box of random erasing in an image of w x h. Its share of the area is uniform from 2 to 33.3 %, and the logarithm of
// its aspect ratio is uniform between those of 0.3 and 1/0.3. The box is empty when ten tries do not fit.
func EraseBox(w, h int, r *tensor.Rand) image.Rectangle {
	for range eraseTries {
		area := r.Uniform(minErased, maxErased) * float64(w*h)
		aspect := math.Exp(r.Uniform(math.Log(minAspect), -math.Log(minAspect)))
		bh, bw := int(math.RoundToEven(math.Sqrt(area*aspect))), int(math.RoundToEven(math.Sqrt(area/aspect)))
		if bh < h && bw < w {
			top, left := r.IntN(h-bh+1), r.IntN(w-bw+1)
			return image.Rect(left, top, left+bw, top+bh)
		}
	}
	return image.Rectangle{}
}

// erase fills box of a normalised image (channels, h, w) with standard normal numbers.
func erase(x []float32, w, h int, box image.Rectangle, r *tensor.Rand) {
	for c := range len(x) / (w * h) {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			row := x[(c*h+y)*w:][:w]
			for i := box.Min.X; i < box.Max.X; i++ {
				row[i] = float32(r.Norm())
			}
		}
	}
}
