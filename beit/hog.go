package beit

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// HOG is a teacher that computes histograms of oriented gradients of patches and needs no weights (after MaskFeat, arXiv 2112.09133).
// A cell has 27 features, 9 orientation bins for each colour channel. Magnitudes are summed over the n pixels of the cell that lie in the
// image, then divided by their 2-norm + 0.01 + e·n. The mean colour of the patch follows, 3 features.
// With e = 0, as in MaskFeat, flat cells have histograms of noise as long as those of edges. Gradients that are small beside a larger e give
// short ones.
// The gradient of a pixel is the difference of its neighbours, halved in "hog", with the image reflected at its border (-1 is 1). Its bin
// is ⌊atan2(gx, gy)·9/π⌋ mod 9.
type HOG struct {
	name   string
	size   int     // side of the images
	patch  int     // P
	sides  []int   // sides of the cells centred on the patch, in halves of P
	factor float32 // of the differences of neighbours
	centre float32 // subtracted from the mean colour
	eps    float64 // e of a pixel
}

// Constants of HOG.
const (
	hogBins     = 9
	hogChannels = 3
	hogCell     = hogBins * hogChannels
	hogEps      = 0.01
	hogWork     = 30 // about how many floating-point operations a pixel of a channel takes
)

// NewHOG returns the teacher "hog" for images of side size, a multiple of the even side P of a patch. Each patch has cells of side P, 2P
// and 4P, in this order, and its mean colour: 84 features. Wrap it by NewStandardized.
func NewHOG(size, patch int, epsilonPerPixel float64) (*HOG, error) {
	return newHOG(HOG{name: "hog", size: size, patch: patch, eps: epsilonPerPixel, sides: []int{2, 4, 8}, factor: 0.5})
}

// NewHOGRef returns the teacher "hog-ref" of the preset "reference32". It has cells of side P only, differences that are not halved, and
// the mean colour minus one half: 30 features, not standardised.
func NewHOGRef(size, patch int, epsilonPerPixel float64) (*HOG, error) {
	return newHOG(HOG{name: "hog-ref", size: size, patch: patch, eps: epsilonPerPixel, sides: []int{2}, factor: 1, centre: 0.5})
}

func newHOG(h HOG) (*HOG, error) {
	if h.patch < 2 || h.patch%2 != 0 || h.size < h.patch || h.size%h.patch != 0 {
		return nil, fmt.Errorf("teacher %s: images of side %d with patches of side %d: the patch must be even and divide the side", h.name, h.size, h.patch)
	}
	if !(h.eps >= 0) {
		return nil, fmt.Errorf("teacher %s: epsilon per pixel %g: must be at least 0", h.name, h.eps)
	}
	return &h, nil
}

// Name is "hog" or "hog-ref".
func (h *HOG) Name() string { return h.name }

// Dim is 84 for "hog", 30 for "hog-ref".
func (h *HOG) Dim() int { return len(h.sides)*hogCell + hogChannels }

// Features implements Teacher. It copies the images to the host and computes there.
func (h *HOG) Features(_ nn.Context, images *tensor.Tensor) *tensor.Tensor {
	return h.features(images.Device(), images.Float32s())
}

// features are those of images of the host, on a device.
func (h *HOG) features(dev *tensor.Device, images []float32) *tensor.Tensor {
	b, n := len(images)/(hogChannels*h.size*h.size), h.size/h.patch*(h.size/h.patch)
	out := make([]float32, b*n*h.Dim())
	h.Compute(out, images)
	dev.AddWork(hogWork * float64(len(images)))
	return tensor.FromSlice(dev, out, b, n, h.Dim())
}

// Compute writes the features [B, N, Dim] of images [B, 3, S, S] to dst. It uses the worker pool, one image a task.
func (h *HOG) Compute(dst, images []float32) {
	in, out := hogChannels*h.size*h.size, h.size/h.patch*(h.size/h.patch)*h.Dim()
	if len(images)%in != 0 || len(dst) != len(images)/in*out {
		panic(fmt.Sprintf("beit: HOG: %d pixels of images of %d give %d numbers each, dst has %d", len(images), in, out, len(dst)))
	}
	tensor.ParallelFor(len(images)/in, func(i int) {
		h.image(dst[i*out:(i+1)*out], images[i*in:(i+1)*in])
	})
}

// image computes the features of one image.
func (h *HOG) image(dst, img []float32) {
	s, half := h.size, h.patch/2
	g := s / half // half-patches along a side
	// area[y][x] holds, for each channel and bin, the sum over the half-patches above y and left of x.
	stride := (g + 1) * hogCell
	area := make([]float64, (g+1)*stride)
	for c := range hogChannels {
		h.gradients(area, img[c*s*s:(c+1)*s*s], c*hogBins, half, stride)
	}
	for y := 1; y <= g; y++ {
		row, above := area[y*stride:(y+1)*stride], area[(y-1)*stride:y*stride]
		for i := hogCell; i < stride; i++ {
			row[i] += row[i-hogCell]
		}
		for i := hogCell; i < stride; i++ {
			row[i] += above[i]
		}
	}
	n := s / h.patch
	for py := range n {
		for px := range n {
			at := dst[(py*n+px)*h.Dim():][:h.Dim()]
			for _, side := range h.sides {
				y0, y1 := max(2*py+1-side/2, 0), min(2*py+1+side/2, g)
				x0, x1 := max(2*px+1-side/2, 0), min(2*px+1+side/2, g)
				eps := hogEps + h.eps*float64((y1-y0)*(x1-x0)*half*half)
				cell(at[:hogCell], area[y0*stride:], area[y1*stride:], x0*hogCell, x1*hogCell, eps)
				at = at[hogCell:]
			}
			h.colour(at, img, py, px)
		}
	}
}

// cell computes the bins of a rectangle from an integral image and divides those of each channel by their norm + eps.
func cell(dst []float32, top, bottom []float64, x0, x1 int, eps float64) {
	for c := 0; c < hogCell; c += hogBins {
		var bins [hogBins]float64
		norm := 0.0
		for k := range bins {
			v := bottom[x1+c+k] - bottom[x0+c+k] - top[x1+c+k] + top[x0+c+k]
			bins[k] = v
			norm += v * v
		}
		scale := 1 / (math.Sqrt(norm) + eps)
		for k, v := range bins {
			dst[c+k] = float32(v * scale)
		}
	}
}

// colour computes the mean colour of a patch.
func (h *HOG) colour(dst, img []float32, py, px int) {
	s, p := h.size, h.patch
	for c := range hogChannels {
		sum := float32(0)
		for y := py * p; y < (py+1)*p; y++ {
			for _, v := range img[(c*s+y)*s+px*p:][:p] {
				sum += v
			}
		}
		dst[c] = sum/float32(p*p) - h.centre
	}
}

// gradients adds the gradient magnitudes of one channel to the bins of the half-patches. A half-patch is stored one row and one column
// further on.
func (h *HOG) gradients(area []float64, img []float32, offset, half, stride int) {
	s := h.size
	for y := range s {
		up, down := max(y-1, 1-y), min(y+1, 2*s-3-y) // reflected: -1 → 1, s → s-2
		row, above, below := img[y*s:(y+1)*s], img[up*s:(up+1)*s], img[down*s:(down+1)*s]
		line := area[(y/half+1)*stride+offset:]
		for x0 := 0; x0 < s; x0 += half {
			line = line[hogCell:]
			for x := x0; x < x0+half; x++ {
				gx := h.factor * (row[min(x+1, 2*s-3-x)] - row[max(x-1, 1-x)])
				gy := h.factor * (below[x] - above[x])
				line[orientation(gx, gy)] += math.Sqrt(float64(gx*gx + gy*gy))
			}
		}
	}
}

// cotangents holds cot(k·π/9) for k = 1 … 8.
var cotangents = func() (c [hogBins - 1]float32) {
	for i := range c {
		c[i] = float32(1 / math.Tan(float64(i+1)*math.Pi/hogBins))
	}
	return c
}()

// orientation returns ⌊atan2(gx, gy)·9/π⌋ mod 9. With gx ≥ 0 the cotangent of the angle is gy/gx, which falls as the angle grows.
func orientation(gx, gy float32) int {
	if gx == 0 {
		return 0
	}
	if gx < 0 {
		gx, gy = -gx, -gy
	}
	below := uint32(0) // how many cotangents are below gy/gx; by sign bits, because branches would be unpredictable
	for _, c := range cotangents {
		below += math.Float32bits(float32(gx*c)-gy) >> 31
	}
	return hogBins - 1 - int(below)
}
