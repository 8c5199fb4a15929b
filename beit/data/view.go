package data

import (
	"cmp"
	"fmt"
	"image"

	"github.com/gobeit/gobeit/tensor"
)

// View describes how a model gets to see an image: Float32 values, (3, Size, Width), or those of other channels.
type View struct {
	Name   string // of its Field; empty stands for "image"
	Size   int    // side of the square, or height
	Width  int    // 0 for a square
	Filter Filter
	Norm   Norm   // of red, green and blue with 8 bits each
	Bands  *Bands // in place of Norm, for images of other channels or of 16 bits: see the option Channels
}

// Channels returns how many there are.
func (v View) Channels() int {
	if v.Bands != nil {
		return len(v.Bands.Mean)
	}
	return 3
}

// size returns the height and width of v.
func (v View) size() (h, w int) { return v.Size, cmp.Or(v.Width, v.Size) }

// aspect is width to height.
func (v View) aspect() float64 {
	h, w := v.size()
	return float64(w) / float64(h)
}

// field describes the tensor of v. It panics when v makes no sense.
func (v View) field() Field {
	good := v.Size >= 1 && v.Width >= 0
	if b := v.Bands; b != nil {
		good = good && len(b.Mean) > 0 && len(b.Mean) == len(b.Std)
		for _, std := range b.Std {
			good = good && std != 0
		}
	} else {
		good = good && v.Norm.Std[0] != 0 && v.Norm.Std[1] != 0 && v.Norm.Std[2] != 0
	}
	if !good {
		panic(fmt.Sprintf("data: view %+v: size must be positive and deviations not 0", v))
	}
	h, w := v.size()
	return Field{Name: cmp.Or(v.Name, "image"), Shape: []int{v.Channels(), h, w}, DType: tensor.Float32}
}

// rendered is an image at the size of a view: an *RGB, or a *bandImage where the view has Bands.
type rendered interface {
	// write normalises the image as a view says, and writes it to dst as (channels, height, width), flipped horizontally if flip is set.
	write(dst []float32, v View, flip bool)
	// padCrop is the function padCrop.
	padCrop(pad, left, top int) rendered
}

func (m *RGB) write(dst []float32, v View, flip bool) { ToFloat(dst, m, v.Norm, flip) }
func (m *RGB) padCrop(pad, left, top int) rendered    { return padCrop(m, pad, left, top) }

// box resizes the part box of an image to the size of v.
func (v View) box(m Image, box image.Rectangle) rendered {
	h, w := v.size()
	return v.window(m, box, w, h, image.Rect(0, 0, w, h))
}

// centre resizes an image so that it covers a box, and cuts the centre of the size of v out. It computes no pixel outside that.
func (v View) centre(m Image, boxW, boxH int) rendered {
	mw, mh := m.Size()
	w, h := Cover(mw, mh, boxW, boxH)
	vh, vw := v.size()
	return v.window(m, boundsOf(m), w, h, centreBox(w, h, vw, vh))
}

// window resizes the part box of an image to w x h and returns a part of that.
func (v View) window(m Image, box image.Rectangle, w, h int, window image.Rectangle) rendered {
	if v.Bands == nil {
		return resizeWindow(m, box, w, h, v.Filter, window)
	}
	r, ok := m.(*Raster)
	if !ok {
		r = rasterOf(whole(m))
	}
	return resizedBands(r, box, w, h, v.Filter, window)
}
