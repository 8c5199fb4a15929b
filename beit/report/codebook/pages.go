package codebook

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/page"
)

// codesOnPage is how many codes a page shows, and codesOnIndex how many of each kind the first page does: whole rows of one, two or three.
const (
	codesOnPage  = 30
	codesOnIndex = 6
)

// codeOrder is an order of codes, with a page for each few of them.
type codeOrder struct {
	Name  string // "use"
	Title string // "Codes by use"
	About string
	codes []int
}

func (o codeOrder) file(page int) string { return fmt.Sprintf("%s-%d.html", o.Name, page+1) }
func (o codeOrder) pages() int           { return (len(o.codes) + codesOnPage - 1) / codesOnPage }

// orders are the orders in which pages show the codes. The first one has the pages that links to a code lead to.
func (b *Content) orders() []codeOrder {
	list := []codeOrder{{"use", "Codes by use", "The most used code first.", b.byUse()}}
	if b.Codes.ByClass != nil {
		about := fmt.Sprintf("The codes of the fewest classes first; those of fewer than %d images at the end.", spreadImages)
		list = append(list, codeOrder{"spread", "Codes by spread over classes", about, b.bySpread()})
	}
	return list
}

// writePages writes all pages.
func (b *Content) writePages(ctx context.Context, dir string, means []*data.RGB) error {
	orders := b.orders()
	w := &writer{Content: b, dir: dir, means: means, orders: orders, urls: map[int]string{}, grid: b.newCodeGrid()}
	for i, k := range orders[0].codes {
		w.urls[k] = fmt.Sprintf("%s#c%d", orders[0].file(i/codesOnPage), k)
	}
	for _, o := range orders {
		for p := range o.pages() {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.writeCodes(o, p); err != nil {
				return err
			}
		}
	}
	if err := w.writeMap(); err != nil {
		return err
	}
	return w.writeIndex()
}

// writer writes the pages of a Content.
type writer struct {
	*Content
	dir    string
	means  []*data.RGB
	orders []codeOrder
	urls   map[int]string // of each code that patches have
	grid   codeGrid
}

// write makes a page of a template and its content.
func (w *writer) write(name string, p page.Page, body *template.Template, content any) (err error) {
	if p.Body, err = page.Execute(body, content); err != nil {
		return err
	}
	p.Foot = "beit codebook"
	return report.WriteFile(filepath.Join(w.dir, name), func(to io.Writer) error { return page.Render(to, p) })
}

// nav links to the overview, to the beginning of each order and to the map.
func (w *writer) nav(current string) []page.Link {
	list := []page.Link{{Text: "Codebook", URL: "index.html"}}
	for _, o := range w.orders {
		if o.pages() > 0 {
			list = append(list, page.Link{Text: o.Title, URL: o.file(0)})
		}
	}
	list = append(list, page.Link{Text: "Map", URL: "map.html"})
	for i := range list {
		list[i].Current = list[i].URL == current
	}
	return list
}

// codesPage shows cards of codes.
var codesPage = page.Template("codes", cardTemplate+`
<h2>Page {{.Page}} of {{.Pages}}</h2>
<div class="controls">{{with .Previous}}<a class="button" rel="prev" href="{{.}}">Previous</a>{{end}}
{{with .Next}}<a class="button" rel="next" href="{{.}}">Next</a>{{end}}</div>
<div class="cards large">
{{range .Cards}}{{template "code" .}}{{end}}</div>
<div class="controls">{{with .Previous}}<a class="button" rel="prev" href="{{.}}">Previous</a>{{end}}
{{with .Next}}<a class="button" rel="next" href="{{.}}">Next</a>{{end}}</div>
`)

// writeCodes writes a page of an order.
func (w *writer) writeCodes(o codeOrder, number int) error {
	content := struct {
		Previous, Next string
		Page, Pages    int
		Cards          []codeCard
	}{Page: number + 1, Pages: o.pages()}
	if number > 0 {
		content.Previous = o.file(number - 1)
	}
	if number+1 < o.pages() {
		content.Next = o.file(number + 1)
	}
	for _, k := range o.codes[number*codesOnPage : min((number+1)*codesOnPage, len(o.codes))] {
		card, err := w.card(k)
		if err != nil {
			return err
		}
		content.Cards = append(content.Cards, card)
	}
	return w.write(o.file(number), page.Page{Title: o.Title, Lead: o.About, Nav: w.nav(o.file(number))}, codesPage, content)
}
