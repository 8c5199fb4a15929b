package data

import "fmt"

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
