package segment

import (
	"fmt"
	"image"
	"math"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/masks"
	"github.com/gobeit/gobeit/nn"
)

// View says how a network is shown whole images.
type View struct {
	Norm        data.Norm
	Mode        string    // slide or whole
	Stride      int       // from a window to the next
	Long, Short int       // limits of the sides that images are resized to
	Scales      []float64 // the image is shown at each of these scales, and probabilities are averaged; empty: once, as training shows it
	Flip        bool      // mirrored as well
}

// view is that of a section.
func (s *Section) view() View {
	return View{Norm: s.normalisation(), Mode: s.Inference.Mode, Stride: s.Inference.Stride, Long: s.Augment.Long, Short: s.Augment.Short}
}

// sizes are those that an image of w x h pixels is resized to for a network of windows of a side.
func (v View) sizes(w, h, side int) (list []image.Point) {
	switch {
	case v.Mode == ModeWhole:
		return []image.Point{{X: side, Y: side}}
	case len(v.Scales) == 0:
		x, y := masks.Fit(w, h, image.Pt(max(v.Long, v.Short), min(v.Long, v.Short)))
		return []image.Point{{X: x, Y: y}}
	}
	for _, scale := range v.Scales { // the shorter side is that of a window at least, and the longer one has no limit, as in the authors' code
		x, y := masks.Fit(w, h, image.Pt(math.MaxInt32, max(side, int(float64(side)*scale))))
		list = append(list, image.Pt(x, y))
	}
	return list
}

// maxPixels is how many pixels an image may be resized to: about four times those of the largest published scale.
const maxPixels = 1 << 26

// Probabilities returns those of the classes of each pixel of an image, [H·W, classes] at its own size.
func (v View) Probabilities(c nn.Context, net *beit.Segmenter, m *data.RGB) ([]float32, error) {
	var sum []float32
	n := 0
	for _, size := range v.sizes(m.W, m.H, net.Config.ViT.ImageSize) {
		if size.X > maxPixels/size.Y {
			return nil, fmt.Errorf("an image of %dx%d pixels would be resized to %dx%d: that is too large", m.W, m.H, size.X, size.Y)
		}
		resized := masks.Resize(m, size.X, size.Y, image.Rectangle{Max: size})
		pixels := make([]float32, 3*size.X*size.Y)
		for _, flip := range []bool{false, true}[:1+count(v.Flip)] {
			data.ToFloat(pixels, resized, v.Norm, flip)
			logits := net.SlideLogits(c, pixels, size.Y, size.X, v.Stride)
			p := beit.PixelProbabilities(c, logits, net.Config.Classes, size.Y, size.X, m.H, m.W, flip)
			c.Tape.Reset()
			if n++; sum == nil {
				sum = p
				continue
			}
			for i, x := range p {
				sum[i] += x
			}
		}
	}
	if n > 1 {
		for i := range sum {
			sum[i] /= float32(n)
		}
	}
	return sum, nil
}

// count is 1 for true.
func count(on bool) int {
	if on {
		return 1
	}
	return 0
}

// Pixels are the classes of the pixels of an image, row by row.
type Pixels struct {
	W, H       int
	Class      []int32
	Confidence []float32 // probability of the class
}

// Segment returns the most probable class of each pixel; of equal ones the first.
func (v View) Segment(c nn.Context, net *beit.Segmenter, m *data.RGB) (*Pixels, error) {
	all, err := v.Probabilities(c, net, m)
	if err != nil {
		return nil, err
	}
	k := net.Config.Classes
	p := &Pixels{W: m.W, H: m.H, Class: make([]int32, m.W*m.H), Confidence: make([]float32, m.W*m.H)}
	for i := range p.Class {
		best := 0
		row := all[i*k : (i+1)*k]
		for class, x := range row {
			if x != x {
				return nil, fmt.Errorf("the probabilities of a pixel %w: the weights are damaged, or training diverged", errNotANumber)
			}
			if x > row[best] {
				best = class
			}
		}
		p.Class[i], p.Confidence[i] = int32(best), row[best]
	}
	return p, nil
}
