package attention

import (
	_ "embed"
	"fmt"
	"html/template"
	"image"
	"strconv"

	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/report/patches"
)

//go:embed attention.js
var script string

//go:embed attention.html
var body string

var bodyTemplate = page.Template("attention", body)

// pageContent is what the template shows. Its images are those of the first query, for browsers without scripts.
type pageContent struct {
	Photo     template.URL
	Small     bool // the photo has few pixels, which are to stay sharp
	Facts     []page.Fact
	Query     int
	Grid, Max int // patches along a side; the last row and column
	From      string
	Percent   string
	Scale     template.URL // the colour map, from left to right
	Cards     []card
	Data      *numbers
}

// card is one map.
type card struct {
	Name, Peak, Class string
	Heat              template.URL
}

// WritePage writes a page on which any patch can be chosen. It contains the weights of all queries.
func WritePage(name string, c *Content) error {
	content := pageContent{
		Query: c.Query, Small: c.Seen.W <= largestPNG, Grid: c.Weights.Cols, Max: c.Weights.Cols - 1, From: c.from(c.Query), Percent: c.percent(), Data: c.numbers(),
		Facts: []page.Fact{
			{Name: "Model", Value: c.Model}, {Name: "Image", Value: c.Image}, {Name: "Block", Value: fmt.Sprintf("%d of %d", c.Weights.Block, c.Blocks)},
			{Name: "Heads", Value: strconv.Itoa(c.Weights.Heads)}, {Name: "Patches", Value: fmt.Sprintf("%d × %d", c.Weights.Rows, c.Weights.Cols)},
		},
	}
	err := c.drawImages(&content)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	html, err := page.Execute(bodyTemplate, content)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return page.Write(name, page.Page{
		Title: "Attention", Lead: "How much each patch of the image weighs for a token, in each head of a block.", Body: html, Script: template.JS(script),
	})
}

// largestPNG is the side of an image up to which it is in the page without loss.
const largestPNG = 64

// drawImages draws the images of the page.
func (c *Content) drawImages(p *pageContent) (err error) {
	encode := page.JPEG
	if p.Small {
		encode = page.PNG
	}
	if p.Photo, err = encode(c.Seen); err != nil {
		return err
	}
	scale := image.NewRGBA(image.Rect(0, 0, len(patches.Map), 1))
	for i, colour := range patches.Map {
		scale.SetRGBA(i, 0, colour)
	}
	if p.Scale, err = page.PNG(scale); err != nil {
		return err
	}
	for i := range c.maps() {
		weights := c.of(i, c.Query)
		heat, err := page.PNG(patches.Heat(c.Weights.Cols, weights, patches.UpTo(weights), c.Weights.Cols))
		if err != nil {
			return err
		}
		p.Cards = append(p.Cards, card{c.name(i), short(peak(weights)), short(c.class(i, c.Query)), heat})
	}
	return nil
}
