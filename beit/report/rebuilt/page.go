package rebuilt

import (
	_ "embed"
	"fmt"
	"html/template"
	"image"
	"strconv"

	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/report/patches"
)

//go:embed rebuilt.html
var body string

var bodyTemplate = page.Template("rebuilt", body)

// card are the drawings of an image.
type card struct {
	Name, Told                string
	Masked, Rebuilt, Original template.URL
}

// WritePage writes a page with all images.
func WritePage(name string, c *Content) error {
	content := struct {
		Facts  []page.Fact
		Note   string
		Images []card
	}{
		Note: c.note(),
		Facts: []page.Fact{
			{Name: "Model", Value: c.Model}, {Name: "Images", Value: strconv.Itoa(len(c.Images))},
			{Name: "Patches", Value: fmt.Sprintf("%d × %d", c.Grid, c.Grid)},
		},
	}
	for _, i := range c.Images {
		drawn, err := i.card(c.Grid)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		content.Images = append(content.Images, drawn)
	}
	html, err := page.Execute(bodyTemplate, content)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return page.Write(name, page.Page{
		Title: "Masked patches", Lead: "Images with masked patches, what the network makes of them, and the images themselves.", Body: html,
	})
}

// largestPNG is the side of an image up to which it is in the page without loss.
const largestPNG = 64

// card draws an image for the page.
func (i Image) card(grid int) (c card, err error) {
	c = card{Name: i.Name, Told: i.masked()}
	encode := page.JPEG
	if i.Seen.W <= largestPNG {
		encode = page.PNG
	}
	for _, one := range []struct {
		to *template.URL
		of image.Image
	}{{&c.Original, i.Seen}, {&c.Rebuilt, i.Rebuilt}, {&c.Masked, patches.Masked(i.Seen, grid, i.Mask, drawingSide)}} {
		if *one.to, err = encode(one.of); err != nil {
			return c, err
		}
	}
	return c, nil
}
