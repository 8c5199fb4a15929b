// Package similarpage writes a page of the images that resemble one most.
//
//	err := similarpage.Write("similar.html", query, found, facts)
//
// The page is one file with reduced images in it, and links to the files themselves. Write may run several times at once.
package similarpage

import (
	"fmt"
	"html/template"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report/page"
)

// Image is an image on the page.
type Image struct {
	Name   string
	Link   string // URL of its file from the page; empty inside an archive
	Cosine float64
	RGB    *data.RGB
}

// Fact is a name and a value above the images.
type Fact = page.Fact

// cardSide is the longest side of an image on the page, in pixels.
const cardSide = 320

var body = page.Template("similar", `{{template "facts" .Facts}}
<h2>Like this</h2>
<div class="cards">{{template "card" .Query}}</div>
<h2>Most similar first</h2>
<div class="cards">{{range .Found}}{{template "card" .}}{{end}}</div>
{{define "card"}}
<figure class="card"><img src="{{.URL}}" width="{{.W}}" height="{{.H}}"{{if .Pixels}} class="pixels"{{end}} alt="{{text .Name}}"><figcaption>{{if .Link}}<a href="{{.Link}}">{{text .Name}}</a>{{else}}{{text .Name}}{{end}}{{with .Line}}<br>{{.}}{{end}}</figcaption></figure>{{end}}`)

// card is an image as the template shows it.
type card struct {
	Name      string
	URL, Link template.URL
	W, H      int
	Pixels    bool // a small image, drawn with sharp pixels
	Line      string
}

// Write writes the page.
func Write(name string, query Image, found []Image, facts []Fact) error {
	first, err := cardOf(query)
	if err != nil {
		return err
	}
	cards := make([]card, len(found))
	for i, f := range found {
		if cards[i], err = cardOf(f); err != nil {
			return err
		}
		cards[i].Line = fmt.Sprintf("%d. cosine %.4f", i+1, f.Cosine)
	}
	html, err := page.Execute(body, map[string]any{"Facts": facts, "Query": first, "Found": cards})
	if err != nil {
		return err
	}
	return page.Write(name, page.Page{Title: "Similar images", Body: html})
}

// cardOf reduces an image to its size on the page.
func cardOf(i Image) (card, error) {
	m := data.Shrink(i.RGB, cardSide)
	url, err := page.JPEG(m)
	return card{Name: i.Name, URL: url, Link: template.URL(i.Link), W: m.W, H: m.H, Pixels: max(m.W, m.H) <= 64}, err
}
