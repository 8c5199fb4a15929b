package data

import (
	"fmt"
	"math"
)

// Norm normalises images: a value x in [0, 1] of channel c becomes (x - Mean[c]) / Std[c].
type Norm struct{ Mean, Std [3]float32 }

// The usual normalisations. Unit keeps [0, 1], Inception maps to [-1, 1], and ImageNet has the channel statistics of ImageNet that torchvision and
// timm use.
var (
	Unit      = Norm{Std: [3]float32{1, 1, 1}}
	Inception = Norm{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.5, 0.5, 0.5}}
	ImageNet  = Norm{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
)

// ToFloat converts m to float32 in [0, 1], normalises it and writes it to dst as (3, H, W), flipped horizontally if flip is set. It panics when the
// length of dst is not 3*H*W.
func ToFloat(dst []float32, m *RGB, n Norm, flip bool) {
	if len(dst) != 3*m.W*m.H {
		panic(fmt.Sprintf("data: ToFloat: %d values for an image of [3 %d %d]", len(dst), m.H, m.W))
	}
	for c := range 3 {
		var table [256]float32
		for v := range table {
			table[v] = (float32(v)/255 - n.Mean[c]) / n.Std[c]
		}
		plane := dst[c*m.W*m.H : (c+1)*m.W*m.H]
		for y := range m.H {
			src, out := m.row(y, 0, m.W)[c:], plane[y*m.W:(y+1)*m.W]
			if flip {
				for x := range out {
					out[len(out)-1-x] = table[src[3*x]]
				}
				continue
			}
			for x := range out {
				out[x] = table[src[3*x]]
			}
		}
	}
}

// FromFloat is the inverse of ToFloat without a flip: normalised values (3, h, w) as an image of w x h. Values are rounded, and those outside [0, 1]
// cut off. It panics when the length of src is not 3*h*w.
func FromFloat(src []float32, w, h int, n Norm) *RGB {
	if len(src) != 3*w*h {
		panic(fmt.Sprintf("data: FromFloat: %d values for an image of [3 %d %d]", len(src), h, w))
	}
	m := NewRGB(w, h)
	for c := range 3 {
		for p, v := range src[c*w*h : (c+1)*w*h] {
			x := math.Round(255 * float64(v*n.Std[c]+n.Mean[c]))
			m.Pix[3*p+c] = uint8(max(0, min(x, 255)))
		}
	}
	return m
}
