package beit

import (
	"fmt"
	"image"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Windows returns the squares of the given side that cover an image of w x h pixels, which has at least that side, row by row. They are stride apart,
// apart from those at the far edges, which are shifted back inside.
func Windows(w, h, side, stride int) (list []image.Rectangle) {
	starts := func(n int) (at []int) {
		for i := range max(n-side+stride-1, 0)/stride + 1 {
			at = append(at, max(min(i*stride, n-side), 0))
		}
		return at
	}
	for _, y := range starts(h) {
		for _, x := range starts(w) {
			list = append(list, image.Rect(x, y, x+side, y+side))
		}
	}
	return list
}

// windowPixels is how many pixels of windows go through the network at once. It limits memory and does not change results.
const windowPixels = 512 * 512

// SlideLogits returns the logits of all pixels of a normalised image [C, h, w], [Classes, h, w]: the means of those of the windows of the network's
// image size that cover a pixel. The logits of a window are resized to it before they are added. An image that is smaller than a window is
// extended by the mean colour. Nothing is recorded.
func (m *Segmenter) SlideLogits(c nn.Context, pixels []float32, h, w, stride int) []float32 {
	side, channels, classes := m.Config.ViT.ImageSize, m.Config.ViT.Channels, m.Config.Classes
	if len(pixels) != channels*h*w || stride < 1 {
		panic(fmt.Sprintf("beit: SlideLogits: %d values for an image [%d %d %d], stride %d", len(pixels), channels, h, w, stride))
	}
	tall, wide := max(h, side), max(w, side)
	sum, count := make([]float32, classes*h*w), make([]float32, h*w)
	list := Windows(wide, tall, side, stride)
	one := channels * side * side
	for most := max(windowPixels/(side*side), 1); len(list) > 0; {
		part := list[:min(most, len(list))]
		list = list[len(part):]
		in := make([]float32, len(part)*one)
		for i, at := range part {
			cutWindow(in[i*one:(i+1)*one], pixels, h, w, at)
		}
		for i, logits := range m.windowLogits(c, in, len(part)) {
			addWindow(sum, count, logits, h, w, part[i])
		}
	}
	tensor.ParallelFor(classes, func(k int) {
		row := sum[k*h*w : (k+1)*h*w]
		for i, n := range count {
			row[i] /= n
		}
	})
	return sum
}

// windowLogits returns the logits [Classes, S, S] of each of n windows [C, S, S].
func (m *Segmenter) windowLogits(c nn.Context, in []float32, n int) (list [][]float32) {
	c.Train = false
	side := m.Config.ViT.ImageSize
	c.Tape.NoGrad(func() {
		all := c.Tape.Scope(func() *autograd.Var {
			images := c.Tape.Own(tensor.FromSlice(c.Tape.Device(), in, n, m.Config.ViT.Channels, side, side))
			return autograd.ResizeBilinear(m.Logits(c, images), side, side)
		}).Value().Float32s()
		for i := range n {
			list = append(list, all[i*len(all)/n:(i+1)*len(all)/n])
		}
	})
	return list
}

// cutWindow copies the part at of an image [C, h, w] to a window [C, S, S], with 0 outside.
func cutWindow(window, pixels []float32, h, w int, at image.Rectangle) {
	side := at.Dx()
	n := min(at.Max.X, w) - at.Min.X
	for channel := range len(pixels) / (h * w) {
		for y := at.Min.Y; y < min(at.Max.Y, h); y++ {
			copy(window[(channel*side+y-at.Min.Y)*side:], pixels[(channel*h+y)*w+at.Min.X:][:n])
		}
	}
}

// addWindow adds the logits of a window [K, S, S] to those of the image [K, h, w], and notes which pixels it covers.
func addWindow(sum, count, window []float32, h, w int, at image.Rectangle) {
	side := at.Dx()
	n := min(at.Max.X, w) - at.Min.X
	for k := range len(sum) / (h * w) {
		for y := at.Min.Y; y < min(at.Max.Y, h); y++ {
			to := sum[(k*h+y)*w+at.Min.X:][:n]
			for x, v := range window[(k*side+y-at.Min.Y)*side:][:n] {
				to[x] += v
			}
		}
	}
	for y := at.Min.Y; y < min(at.Max.Y, h); y++ {
		for x := range n {
			count[y*w+at.Min.X+x]++
		}
	}
}

// PixelProbabilities returns the probabilities of the classes of each pixel in the rows of box, [rows·w, classes], by logits [classes, from.Y, from.X]
// that are resized to h x w first; box has the width w. mirrored logits are turned back before. The logits stay as they are.
func PixelProbabilities(c nn.Context, logits []float32, classes int, from image.Point, box image.Rectangle, h int, mirrored bool) (p []float32) {
	rows, w := box.Dy(), box.Dx()
	if rows < h {
		logits, from.Y, h = resizedRows(logits, classes, from, box, h), rows, rows
	}
	if mirrored {
		logits = mirrorRows(logits, from.X)
	}
	c.Tape.NoGrad(func() {
		p = c.Tape.Scope(func() *autograd.Var {
			x := c.Tape.Own(tensor.FromSlice(c.Tape.Device(), logits, 1, classes, from.Y, from.X))
			if from.Y != h || from.X != w {
				x = autograd.ResizeBilinear(x, h, w)
			}
			return autograd.Softmax(autograd.Permute(autograd.Reshape(x, classes, h*w), 1, 0))
		}).Value().Float32s()
	})
	return p
}

// resizedRows resizes the columns of logits to h rows, as tensor.BilinearTaps does, and returns the rows of box: [classes, rows, from.X].
func resizedRows(logits []float32, classes int, from image.Point, box image.Rectangle, h int) []float32 {
	rows, w := box.Dy(), from.X
	out := make([]float32, classes*rows*w)
	tensor.ParallelFor(classes, func(k int) {
		plane := logits[k*from.Y*w : (k+1)*from.Y*w]
		for i := range rows {
			at, unit := max((2*(box.Min.Y+i)+1)*from.Y-h, 0), 2*h
			first := min(at/unit, from.Y-1)
			second := min(first+1, from.Y-1)
			part := float32(float64(at%unit) / float64(unit))
			dst := out[(k*rows+i)*w:][:w]
			for x := range dst {
				dst[x] = float32((1-part)*plane[first*w+x]) + float32(part*plane[second*w+x])
			}
		}
	})
	return out
}

// mirrorRows returns v with each row of w values turned around.
func mirrorRows(v []float32, w int) []float32 {
	v = slices.Clone(v)
	for row := range slices.Chunk(v, w) {
		slices.Reverse(row)
	}
	return v
}
