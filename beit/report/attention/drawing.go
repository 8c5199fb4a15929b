package attention

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/patches"
)

// Sizes of the PNG file: the side of a drawing in pixels, at least, and the drawings in a row.
const (
	drawingSide    = 224
	drawingsAcross = 6
)

// WritePNG draws the maps for the class token, and for the chosen patch if there is one, as a PNG file.
func WritePNG(name string, c *Content) error {
	sections := c.sections(infer.ClassToken)
	if c.Query != infer.ClassToken {
		sections = append(sections, c.sections(c.Query)...)
	}
	return patches.Write(name, sections)
}

// sections are the drawings for a query.
func (c *Content) sections(query int) []patches.Section {
	image := patches.Scale(c.Seen, drawingSide)
	first := patches.Panel{Title: "Image", Image: image}
	if query != infer.ClassToken {
		row, col := c.place(query)
		patches.Outline(image, c.Weights.Cols, row, col)
	}
	maps := patches.Section{
		Title:  fmt.Sprintf("%s, block %d of %d: attention from %s", c.Image, c.Weights.Block, c.Blocks, c.from(query)),
		Panels: []patches.Panel{first}, Across: drawingsAcross,
	}
	kept := patches.Section{
		Title: "Fewest patches with " + c.percent() + " of the attention to patches", Panels: []patches.Panel{first}, Across: drawingsAcross,
	}
	for i := range c.maps() {
		weights := c.of(i, query)
		scale := patches.UpTo(weights)
		maps.Panels = append(maps.Panels, patches.Panel{
			Title: c.name(i), Image: patches.Heat(c.Weights.Cols, weights, scale, image.Rect.Dx()), Legend: &scale,
		})
		kept.Panels = append(kept.Panels, patches.Panel{
			Title: c.name(i), Image: patches.Kept(c.Seen, c.Weights.Cols, infer.KeepMass(weights, c.Mass), drawingSide),
		})
	}
	return []patches.Section{maps, kept}
}
