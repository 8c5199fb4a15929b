package rebuilt

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/patches"
)

// Content is what is shown.
type Content struct {
	Model        string
	Grid         int  // patches along a side
	Standardised bool // mean and deviation of each masked patch are the image's
	Images       []Image
}

// Image is an image with its masked patches rebuilt.
type Image struct {
	Name string
	Mask []bool
	infer.Reconstruction
}

// masked says how many patches are.
func (i Image) masked() string {
	n := 0
	for _, on := range i.Mask {
		if on {
			n++
		}
	}
	return fmt.Sprintf("%d of %d patches are masked", n, len(i.Mask))
}

// note says what of the rebuilt patches is not predicted.
func (c *Content) note() string {
	if c.Standardised {
		return "The network predicts pixels relative to their patch: mean and deviation of each masked patch are the image's."
	}
	return ""
}

// Sizes of the PNG file: the side of a drawing in pixels, at least, and the drawings in a row.
const (
	drawingSide    = 224
	drawingsAcross = 6
)

// WritePNG draws all images as a PNG file.
func WritePNG(name string, c *Content) error {
	s := patches.Section{Title: c.Model + ": masked, rebuilt, original", Across: drawingsAcross}
	for _, i := range c.Images {
		s.Panels = append(s.Panels,
			patches.Panel{Title: "masked", Image: patches.Masked(i.Seen, c.Grid, i.Mask, drawingSide)},
			patches.Panel{Title: "rebuilt", Image: patches.Scale(i.Rebuilt, drawingSide)},
			patches.Panel{Title: i.Name, Image: patches.Scale(i.Seen, drawingSide)})
	}
	sections := []patches.Section{s}
	if note := c.note(); note != "" {
		sections = append(sections, patches.Section{Title: note})
	}
	return patches.Write(name, sections)
}
