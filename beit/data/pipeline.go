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

// View describes how a model gets to see an image: a square of Float32 values, (3, Size, Size).
type View struct {
	Name   string // of its Field; empty stands for "image"
	Size   int    // side of the square
	Filter Filter
	Norm   Norm
}

// field describes the tensor of v. It panics when v makes no sense.
func (v View) field() Field {
	if v.Size < 1 || v.Norm.Std[0] == 0 || v.Norm.Std[1] == 0 || v.Norm.Std[2] == 0 {
		panic(fmt.Sprintf("data: view %+v: size must be positive and deviations not 0", v))
	}
	name := v.Name
	if name == "" {
		name = "image"
	}
	return Field{Name: name, Shape: []int{3, v.Size, v.Size}, DType: tensor.Float32}
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
func (p *RandomCrop) Outputs() []Field { return fieldsOf(p.Views) }

// Apply implements Pipeline. The flip commutes with jitter, crop and resize: it costs nothing at the end, whether a recipe has it first
// or last.
func (p *RandomCrop) Apply(dst Tensors, s Sample, r *tensor.Rand) {
	m := s.Image
	if p.Jitter > 0 {
		m = jitter(whole(m), p.Jitter, r) // contrast needs the mean of all pixels
	}
	flip := r.Uint32()&1 == 1
	w, h := m.Size()
	part, box := cut(m, RandomBox(w, h, p.Scale, r))
	writeViews(dst, p.Views, flip, func(v View) *RGB { return Resize(part, box, v.Size, v.Size, v.Filter) })
}

// writeViews renders each view; neighbours of equal size and filter are rendered once.
func writeViews(dst Tensors, views []View, flip bool, render func(v View) *RGB) {
	checkDestinations(dst, len(views))
	var m *RGB
	for i, v := range views {
		if i == 0 || v.Size != views[i-1].Size || v.Filter != views[i-1].Filter {
			m = render(v)
		}
		ToFloat(dst[i].Float32, m, v.Norm, flip)
	}
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
	writeViews(dst, p.Views, flip, func(v View) *RGB {
		if v.Size <= p.Pad {
			panic(fmt.Sprintf("data: PadCrop: %d mirrored pixels around images of %d", p.Pad, v.Size))
		}
		return padCrop(resizeCentre(s.Image, v.Size, v.Size, v.Filter), p.Pad, left, top, v.Size)
	})
}

// Eval is the transform of evaluation: the shorter side is resized to Size/0.875, rounded down, and the central square of side Size is
// cut out. With Whole set the shorter side is resized to Size itself.
type Eval struct {
	Whole bool
	Views []View
}

// Outputs implements Pipeline.
func (p *Eval) Outputs() []Field { return fieldsOf(p.Views) }

// Apply implements Pipeline; r is not used and may be nil.
func (p *Eval) Apply(dst Tensors, s Sample, _ *tensor.Rand) {
	writeViews(dst, p.Views, false, func(v View) *RGB { return resizeCentre(s.Image, p.short(v), v.Size, v.Filter) })
}

// short is the shorter side of the image that v is cut from.
func (p *Eval) short(v View) int {
	if p.Whole {
		return v.Size
	}
	return int(float64(v.Size) / 0.875)
}

// Part says which part of an image of w x h pixels the first view shows: its left upper corner and its size, in pixels of the image. Its edges
// may lie within pixels.
func (p *Eval) Part(w, h int) (x, y, dx, dy float64) {
	v := p.Views[0]
	rw, rh := ShorterSide(w, h, p.short(v))
	box := centreBox(rw, rh, v.Size)
	sx, sy := float64(w)/float64(rw), float64(h)/float64(rh)
	return float64(box.Min.X) * sx, float64(box.Min.Y) * sy, float64(v.Size) * sx, float64(v.Size) * sy
}

// Seen returns what the first view shows of an image, before it is normalised.
func (p *Eval) Seen(m Image) *RGB {
	v := p.Views[0]
	return resizeCentre(m, p.short(v), v.Size, v.Filter)
}
