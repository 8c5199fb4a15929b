package mappage

import (
	"context"
	"fmt"
	"html/template"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
)

// cardSide is the longest side of an image on the page, in pixels.
const cardSide = 160

// card is an image in a list of the page.
type card struct {
	Image     int
	Name      string
	URL, Link template.URL // of the reduced image and of the file itself
	W, H      int
	Pixels    bool     // a small image, drawn with sharp pixels
	Lines     []string // below the image
}

// cards makes cards, and writes the reduced image of each once.
type cards struct {
	ctx  context.Context
	p    *Content
	dir  string
	done map[int]card
}

func (c *cards) of(i int, lines ...string) (card, error) {
	made, ok := c.done[i]
	if !ok {
		if err := c.ctx.Err(); err != nil {
			return card{}, err
		}
		m, err := c.p.Image(i)
		if err != nil {
			return card{}, err
		}
		m = data.Shrink(m, cardSide)
		file := fmt.Sprintf("%06d.jpg", i)
		if err := report.WriteJPEG(filepath.Join(c.dir, "images", file), m, quality); err != nil {
			return card{}, err
		}
		made = card{
			Image: i, Name: c.p.Names[i], URL: template.URL("images/" + file), Link: template.URL(c.p.Links[i]), W: m.W, H: m.H, Pixels: max(m.W, m.H) <= 64,
		}
		c.done[i] = made
	}
	made.Lines = lines
	return made, nil
}

// group makes cards of several images; lines says what stands below each.
func (c *cards) group(title string, images []int, lines func(at, image int) []string) (group, error) {
	g := group{Title: title}
	for at, i := range images {
		made, err := c.of(i, lines(at, i)...)
		if err != nil {
			return g, err
		}
		g.Cards = append(g.Cards, made)
	}
	return g, nil
}
