package segment

import (
	"fmt"
	"image"
	"math"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/masks"
	"github.com/gobeit/gobeit/nn"
)

// View says how a network is shown whole images.
type View struct {
	Norm        data.Norm
	Bands       *data.Bands // in place of Norm, for a network of other channels, or of 16 bits: images are *data.Raster; nil for RGB
	Mode        string      // slide or whole
	Stride      int         // from a window to the next
	Long, Short int         // limits of the sides that images are resized to
	Scales      []float64   // the image is shown at each of these scales, and probabilities are averaged; empty: once, as training shows it
	Flip        bool        // mirrored as well
}

// viewOf is that of a configuration.
func viewOf(c *config.Config) View {
	s := SectionOf(c)
	norm, bands := s.normalisation(c)
	return View{Norm: norm, Bands: bands, Mode: s.Inference.Mode, Stride: s.Inference.Stride, Long: s.Augment.Long, Short: s.Augment.Short}
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

// maxPixels is how many pixels an image may be resized to: about four times those of the largest published scale. maxValues is how many logits or
// probabilities are held for one image.
const (
	maxPixels = 1 << 26
	maxValues = math.MaxInt32
)

// stripValues is how many probabilities are computed at once, unless a row has more: photographs of many pixels have too many for memory.
const stripValues = 1 << 26

// Probabilities returns those of the classes of each pixel of an image, [H·W, classes] at its own size.
func (v View) Probabilities(c nn.Context, net *beit.Segmenter, m data.Image) ([]float32, error) {
	w, h := m.Size()
	if w*h > maxValues/net.Config.Classes {
		return nil, fmt.Errorf("an image of %dx%d pixels has too many for %d classes to be averaged", w, h, net.Config.Classes)
	}
	sum := make([]float32, w*h*net.Config.Classes)
	n, err := v.strips(c, net, m, stripValues, func(first int, p []float32) error {
		for i, x := range p {
			sum[first*net.Config.Classes+i] += x
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n > 1 {
		for i := range sum {
			sum[i] /= float32(n)
		}
	}
	return sum, nil
}

// strips shows an image in every way and calls each with the probabilities of about most values at a time: of whole rows, from pixel first on. It
// returns the number of ways.
func (v View) strips(c nn.Context, net *beit.Segmenter, m data.Image, most int, each func(first int, p []float32) error) (ways int, err error) {
	side, classes := net.Config.ViT.ImageSize, net.Config.Classes
	w, h := m.Size()
	rows := min(max(most/(w*classes), 1), h)
	for _, size := range v.sizes(w, h, side) {
		if size.X > min(maxPixels, maxValues/classes)/size.Y {
			return 0, fmt.Errorf("an image of %dx%d pixels would be resized to %dx%d: that is too large", w, h, size.X, size.Y)
		}
		show, err := v.shown(m, size)
		if err != nil {
			return 0, err
		}
		for _, flip := range []bool{false, true}[:1+count(v.Flip)] {
			logits := net.SlideLogits(c, show(flip), size.Y, size.X, v.Stride)
			for y := 0; y < h; y += rows {
				p := beit.PixelProbabilities(c, logits, classes, size, image.Rect(0, y, w, min(y+rows, h)), h, flip)
				c.Tape.Reset()
				if err := each(y*w, p); err != nil {
					return 0, err
				}
			}
			ways++
		}
	}
	return ways, nil
}

// shown returns what makes the network's input of an image resized to size, mirrored or not. What it gives is overwritten by its next call.
func (v View) shown(m data.Image, size image.Point) (func(flip bool) []float32, error) {
	box := image.Rectangle{Max: size}
	if v.Bands == nil {
		resized, pixels := masks.Resize(data.Sample{Image: m}.RGB(), size.X, size.Y, box), make([]float32, 3*size.X*size.Y)
		return func(flip bool) []float32 {
			data.ToFloat(pixels, resized, v.Norm, flip)
			return pixels
		}, nil
	}
	channels := len(v.Bands.Mean)
	raster, ok := m.(*data.Raster)
	if !ok || raster.Channels != channels {
		return nil, fmt.Errorf("an image without the values of its file: the network sees %d channels", channels)
	}
	pixels := make([]float32, channels*size.X*size.Y)
	return func(flip bool) []float32 {
		masks.ResizeRaster(pixels, raster, size.X, size.Y, box, v.Bands, flip)
		return pixels
	}, nil
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
func (v View) Segment(c nn.Context, net *beit.Segmenter, m data.Image) (*Pixels, error) {
	w, h := m.Size()
	p := &Pixels{W: w, H: h, Class: make([]int32, w*h), Confidence: make([]float32, w*h)}
	if len(v.sizes(w, h, net.Config.ViT.ImageSize)) == 1 && !v.Flip { // nothing to average: no strip is kept
		_, err := v.strips(c, net, m, stripValues, func(first int, part []float32) error { return p.classify(first, part, net.Config.Classes) })
		return p, err
	}
	all, err := v.Probabilities(c, net, m)
	if err != nil {
		return nil, err
	}
	return p, p.classify(0, all, net.Config.Classes)
}

// classify fills in the pixels from first on by their probabilities of so many classes.
func (p *Pixels) classify(first int, all []float32, classes int) error {
	for i := range len(all) / classes {
		best := 0
		row := all[i*classes : (i+1)*classes]
		for class, x := range row {
			if x != x {
				return fmt.Errorf("the probabilities of a pixel %w: the weights are damaged, or training diverged", errNotANumber)
			}
			if x > row[best] {
				best = class
			}
		}
		p.Class[first+i], p.Confidence[first+i] = int32(best), row[best]
	}
	return nil
}
