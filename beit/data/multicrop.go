package data

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// MultiCrop is the augmentation of DINO (arXiv 2104.14294): two large crops of an image and several small ones. Flip, colour jitter, blur and
// solarisation are drawn for each crop.
type MultiCrop struct {
	Large, Small           View       // their names are not used: see CropField
	Count                  int        // of small crops
	LargeScale, SmallScale [2]float64 // ranges of a crop's area, as a share of the image's
	Jitter                 float64    // strength of the colour jitter; 0 for crops and flips alone
}

// largeCrops is the number of large crops.
const largeCrops = 2

// Settings of the published augmentation (facebookresearch/dino, main_dino.py).
const (
	jitterProb   = 0.8
	greyProb     = 0.2
	solarizeProb = 0.2 // of the second large crop
	smallBlur    = 0.5 // probability of blur of a small crop
	blurSize     = 224 // image size that blurRadius is meant for
)

var (
	largeBlur  = [largeCrops]float64{1, 0.1} // probabilities of blur
	blurRadius = [2]float64{0.1, 2}          // range of the standard deviation in pixels, at blurSize
)

// CropField returns the name of the Field of crop i of a MultiCrop: crop_0, crop_1 and so on, the large ones first.
func CropField(i int) string { return fmt.Sprintf("crop_%d", i) }

// Outputs implements Pipeline: the large crops come first.
func (p *MultiCrop) Outputs() []Field {
	fields := make([]Field, largeCrops+p.Count)
	for i := range fields {
		v := p.Small
		if i < largeCrops {
			v = p.Large
		}
		v.Name = CropField(i)
		fields[i] = v.field()
	}
	return fields
}

// Apply implements Pipeline.
func (p *MultiCrop) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	checkDestinations(dst, largeCrops+p.Count)
	m := s.RGB() // the crops overlap: together they need most of it
	for i := range dst {
		view, scale, blur, solarize := p.Small, p.SmallScale, smallBlur, 0.0
		if i < largeCrops {
			view, scale, blur = p.Large, p.LargeScale, largeBlur[i]
		}
		if i == 1 {
			solarize = solarizeProb
		}
		out := Resize(m, RandomBox(m.W, m.H, scale, r), view.Size, view.Size, view.Filter)
		flip := r.Uint32()&1 == 1
		if p.Jitter > 0 {
			out = p.distort(out, blur, solarize, r)
		}
		ToFloat(dst[i].Float32, out, view.Norm, flip)
	}
}

// distort applies colour jitter, greyscale, blur and solarisation, the last two with the given probabilities.
func (p *MultiCrop) distort(m *RGB, blur, solarize float64, r *tensor.Rand) *RGB {
	if r.Float64() < jitterProb {
		m = jitterHue(m, p.Jitter, r)
	}
	if r.Float64() < greyProb {
		m = grey(m)
	}
	if r.Float64() < blur {
		m = Blur(m, r.Uniform(blurRadius[0], blurRadius[1])*float64(m.W)/blurSize)
	}
	if r.Float64() < solarize {
		m = Solarize(m, 128)
	}
	return m
}
