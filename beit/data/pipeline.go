package data

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// View says in what form a model gets a picture.
type View struct {
	Size   int // side of the square
	Filter Filter
	Norm   Norm
}

// Pipeline turns a picture into the views that a stage of training or evaluation needs. It may be used by
// several goroutines at once, each with its own Rand.
type Pipeline interface {
	// Outputs are the views that Apply writes.
	Outputs() []View
	// Apply writes view v of p into dst[v], (3, Size, Size) floats. What is random comes from r alone.
	Apply(dst [][]float32, p Picture, r *tensor.Rand)
}

// RandomCrop is the augmentation of training: colour jitter, a random resized crop, a flip of every second
// picture. All views show the same crop.
type RandomCrop struct {
	Scale  [2]float64 // share of the picture's area that the crop covers
	Jitter float64    // strength of brightness, contrast and saturation changes; 0 for none
	Views  []View
}

// VQKDTrain is the augmentation of tokenizer training: crops of 8 to 100 %, bicubic, values in [0, 1].
func VQKDTrain(size int) *RandomCrop {
	return &RandomCrop{Scale: [2]float64{0.08, 1}, Views: []View{{size, Bicubic, Unit}}}
}

// MIMTrain is the augmentation of masked image modelling: jitter of 0.4 and crops of minScale (0.2 in the
// published recipe) to 100 %, seen by student and tokenizer.
func MIMTrain(student, tokenizer View, minScale float64) *RandomCrop {
	return &RandomCrop{Scale: [2]float64{minScale, 1}, Jitter: 0.4, Views: []View{student, tokenizer}}
}

// ProbeTrain is the augmentation of linear probes: crops of 8 to 100 %, bilinear.
func ProbeTrain(size int, norm Norm) *RandomCrop {
	return &RandomCrop{Scale: [2]float64{0.08, 1}, Views: []View{{size, Bilinear, norm}}}
}

// Outputs implements Pipeline.
func (p *RandomCrop) Outputs() []View { return p.Views }

// Apply implements Pipeline. Mirroring commutes with jitter, crop and resize, so it comes for free at the
// end, whether a recipe names it first or last.
func (p *RandomCrop) Apply(dst [][]float32, m Picture, r *tensor.Rand) {
	if p.Jitter > 0 {
		m = jitter(whole(m), p.Jitter, r) // contrast needs the mean of all
	}
	flip := r.Uint32()&1 == 1
	w, h := m.Size()
	part, box := cut(m, RandomBox(w, h, p.Scale, r))
	writeViews(dst, p.Views, flip, func(v View) *Image { return Resize(part, box, v.Size, v.Size, v.Filter) })
}

// writeViews renders each view, those of equal size and filter once.
func writeViews(dst [][]float32, views []View, flip bool, render func(v View) *Image) {
	if len(dst) != len(views) {
		panic(fmt.Sprintf("data: Apply: %d destinations for %d views", len(dst), len(views)))
	}
	var m *Image
	for i, v := range views {
		if i == 0 || v.Size != views[i-1].Size || v.Filter != views[i-1].Filter {
			m = render(v)
		}
		ToFloat(dst[i], m, v.Norm, flip)
	}
}

// PadCrop is the light augmentation for small pictures, used by the reference run: the picture, resized to the
// size of the view if it has another, is surrounded by Pad mirrored pixels, then a random square is cut out
// and every second one flipped. No colour changes. All views must have the same size and filter.
type PadCrop struct {
	Pad   int
	Views []View
}

// Outputs implements Pipeline.
func (p *PadCrop) Outputs() []View { return p.Views }

// Apply implements Pipeline.
func (p *PadCrop) Apply(dst [][]float32, m Picture, r *tensor.Rand) {
	flip := r.Uint32()&1 == 1
	left, top := r.IntN(2*p.Pad+1), r.IntN(2*p.Pad+1)
	writeViews(dst, p.Views, flip, func(v View) *Image {
		if v.Size <= p.Pad {
			panic(fmt.Sprintf("data: PadCrop: %d mirrored pixels around pictures of %d", p.Pad, v.Size))
		}
		return padCrop(resizeCentre(m, v.Size, v.Size, v.Filter), p.Pad, left, top, v.Size)
	})
}

// Eval shows the centre of the picture: the shorter side is resized to Size/0.875, rounded down, and the central
// square of side Size taken. With Whole set the shorter side becomes Size itself.
type Eval struct {
	Whole bool
	Views []View
}

// VQKDEval is the transform of tokenizer validation.
func VQKDEval(size int) *Eval { return &Eval{Views: []View{{size, Bicubic, Unit}}} }

// Outputs implements Pipeline.
func (p *Eval) Outputs() []View { return p.Views }

// Apply implements Pipeline; r is not used and may be nil.
func (p *Eval) Apply(dst [][]float32, m Picture, _ *tensor.Rand) {
	writeViews(dst, p.Views, false, func(v View) *Image {
		short := v.Size
		if !p.Whole {
			short = int(float64(v.Size) / 0.875)
		}
		return resizeCentre(m, short, v.Size, v.Filter)
	})
}

// checkViews panics when a pipeline's views make no sense, with the loader's first call rather than a
// worker's.
func checkViews(views []View) {
	if len(views) == 0 {
		panic("data: pipeline without views")
	}
	for _, v := range views {
		if v.Size < 1 || v.Norm.Std[0] == 0 || v.Norm.Std[1] == 0 || v.Norm.Std[2] == 0 {
			panic(fmt.Sprintf("data: pipeline with view %+v: size must be positive and deviations not 0", v))
		}
	}
}
