package data

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// Pipeline makes the tensors that a model is trained or evaluated on from one sample: image views, masks and so on. It may be used by
// several goroutines at once, each with its own Rand.
type Pipeline interface {
	// Outputs describes the tensors that Apply writes.
	Outputs() []Field
	// Apply writes the tensors of s to dst, in the order of Outputs. All randomness comes from r.
	Apply(dst Tensors, s Sample, r *tensor.Rand)
}

func fieldsOf(views []View) []Field {
	fields := make([]Field, len(views))
	for i, v := range views {
		fields[i] = v.field()
	}
	return fields
}

// RandomCrop is the augmentation of training: colour jitter, a random resized crop, a horizontal flip of half of the images. All views
// show the same crop.
type RandomCrop struct {
	Scale  [2]float64 // range of the crop's area, as a share of the image's
	Jitter float64    // strength of brightness, contrast and saturation changes; 0 for none
	Views  []View
}

// Outputs implements Pipeline.
func (p *RandomCrop) Outputs() []Field {
	if p.Jitter > 0 && p.Views[0].Bands != nil {
		panic(fmt.Sprintf("data: RandomCrop: colour jitter %g of images that are not RGB of 8 bits", p.Jitter))
	}
	return fieldsOf(p.Views)
}

// Apply implements Pipeline. The flip commutes with jitter, crop and resize: it costs nothing at the end, whether a recipe has it first
// or last.
func (p *RandomCrop) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	m := s.Image
	if p.Jitter > 0 { // of RGB
		m = jitter(whole(m), p.Jitter, r) // contrast needs the mean of all pixels
	}
	flip := r.Uint32()&1 == 1
	w, h := m.Size()
	box := randomBox(w, h, p.Scale, p.Views[0].aspect(), r)
	if p.Views[0].Bands == nil {
		m, box = cut(m, box)
	}
	writeViews(dst, p.Views, flip, func(v View) rendered { return v.box(m, box) })
}

// writeViews renders each view; neighbours of equal size and filter are rendered once.
func writeViews(dst Tensors, views []View, flip bool, render func(v View) rendered) {
	checkDestinations(dst, len(views))
	var m rendered
	for i, v := range views {
		if i == 0 || !v.likens(views[i-1]) {
			m = render(v)
		}
		m.write(dst[i].Float32, v, flip)
	}
}

// likens reports whether both views show the same before it is normalised.
func (v View) likens(o View) bool {
	return v.Size == o.Size && v.Width == o.Width && v.Filter == o.Filter && (v.Bands == nil) == (o.Bands == nil)
}

func checkDestinations(dst Tensors, fields int) {
	if len(dst) != fields {
		panic(fmt.Sprintf("data: Apply: %d destinations for %d fields", len(dst), fields))
	}
}

// PadCrop is the light augmentation for small images: Pad mirrored pixels on each side, a random crop of the original size, a horizontal
// flip of half of the images. Images of another size than the view are resized first. All views must have the same size and filter.
type PadCrop struct {
	Pad   int
	Views []View
}

// Outputs implements Pipeline.
func (p *PadCrop) Outputs() []Field { return fieldsOf(p.Views) }

// Apply implements Pipeline.
func (p *PadCrop) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	flip := r.Uint32()&1 == 1
	left, top := r.IntN(2*p.Pad+1), r.IntN(2*p.Pad+1)
	writeViews(dst, p.Views, flip, func(v View) rendered {
		h, w := v.size()
		if min(h, w) <= p.Pad {
			panic(fmt.Sprintf("data: PadCrop: %d mirrored pixels around images of %d", p.Pad, min(h, w)))
		}
		return v.centre(s.Image, w, h).padCrop(p.Pad, left, top)
	})
}

// Eval is the transform of evaluation: the image is resized so that it just covers the view's sides divided by 0.875, rounded down, and the centre of the
// view's size is cut out. Of a square, the shorter side becomes Size/0.875. With Whole set the image just covers the view itself.
type Eval struct {
	Whole bool
	Views []View
}

// Outputs implements Pipeline.
func (p *Eval) Outputs() []Field { return fieldsOf(p.Views) }

// Apply implements Pipeline; r is not used and may be nil.
func (p *Eval) Apply(dst Tensors, s Sample, _ *tensor.Rand) {
	writeViews(dst, p.Views, false, func(v View) rendered { return p.render(s.Image, v) })
}

func (p *Eval) render(m Image, v View) rendered {
	w, h := p.covered(v)
	return v.centre(m, w, h)
}

// covered is the box that the resized image covers, from which v is cut.
func (p *Eval) covered(v View) (w, h int) {
	if h, w = v.size(); p.Whole {
		return w, h
	}
	return int(float64(w) / 0.875), int(float64(h) / 0.875)
}

// Part says which part of an image of w x h pixels the first view shows: its left upper corner and its size, in pixels of the image. Its edges
// may lie within pixels.
func (p *Eval) Part(w, h int) (x, y, dx, dy float64) {
	v := p.Views[0]
	boxW, boxH := p.covered(v)
	rw, rh := Cover(w, h, boxW, boxH)
	vh, vw := v.size()
	box := centreBox(rw, rh, vw, vh)
	sx, sy := float64(w)/float64(rw), float64(h)/float64(rh)
	return float64(box.Min.X) * sx, float64(box.Min.Y) * sy, float64(vw) * sx, float64(vh) * sy
}

// Seen returns what the first view shows of an image, before it is normalised: of other channels than RGB what people see of them.
func (p *Eval) Seen(m Image) *RGB {
	v := p.Views[0]
	v.Bands = nil
	return p.render(m, v).(*RGB) // as v has no Bands
}
