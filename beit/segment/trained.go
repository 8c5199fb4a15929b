package segment

import (
	"fmt"
	"image/color"
	"strconv"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Trained is a segmenter that is ready for use.
type Trained struct {
	*beit.Segmenter
	Model *method.Model
	View  View
	Set   *nn.Set
}

// Build builds the segmenter of an opened model: one of this method, or a published one. taps, where it is not empty, replaces the taps that the
// model says, as beit.SegmenterConfig describes them. The caller releases its Set.
func Build(dev *tensor.Device, m *method.Model, taps string) (*Trained, error) {
	n, ok := m.Network.(*beit.SegmenterConfig)
	if !ok || m.Kind != weights.Segmenter || m.Config == nil {
		return nil, fmt.Errorf("%s: is no segmenter: 'beit segment train --init-from' makes one of it", m.Path)
	}
	c := *n
	if taps != "" {
		c.Taps = taps
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	if c.Classes == 0 {
		return nil, fmt.Errorf("%s: has no classes", m.Path)
	}
	t := &Trained{Model: m, Set: nn.NewSet(), View: viewOf(m.Config)}
	t.View.Norm, t.View.Bands = m.Input.Norm, m.Input.Bands
	t.Segmenter = beit.NewSegmenter(t.Set.Scope(), c, false)
	fit, err := m.Weights.Fit(t.Set.Params(), nil)
	if err != nil {
		return nil, err
	}
	if err := fit.Build(dev, t.Set); err != nil {
		return nil, err
	}
	return t, nil
}

// Taps are the blocks, from 0, whose patch tokens the head sees; nil with a linear head.
func (t *Trained) Taps() []int {
	if t.Config.Head != beit.HeadUperNet {
		return nil
	}
	taps, _ := t.Config.TapBlocks() // checked by Build
	return taps
}

// Names are those of the classes; their numbers where the model has none.
func (t *Trained) Names() []string {
	if t.Model.Classes != nil {
		return t.Model.Classes
	}
	var names []string
	for i := range t.Config.Classes {
		names = append(names, strconv.Itoa(i))
	}
	return names
}

// Palette has a colour for each class: the model's own, or colours that differ.
func (t *Trained) Palette() color.Palette {
	list := make(color.Palette, t.Config.Classes)
	for class := range list {
		if c := t.Model.Palette; c != nil {
			list[class] = color.RGBA{c[class][0], c[class][1], c[class][2], 255}
		} else {
			list[class] = madeColour(class)
		}
	}
	return list
}

// madeColour is a colour for a class without one: the bits of its number, spread over the highest bits of red, green and blue, as in the masks of
// Pascal VOC. Class 0 is dark grey.
func madeColour(class int) color.RGBA {
	c := [3]uint8{40, 40, 40}
	if class > 0 {
		c = [3]uint8{}
	}
	for bit := 7; class > 0; bit-- {
		for i := range c {
			c[i] |= uint8(class>>i&1) << bit
		}
		class >>= 3
	}
	return color.RGBA{c[0], c[1], c[2], 255}
}
