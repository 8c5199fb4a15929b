package codebook

import (
	"fmt"
	"html/template"
	"math/bits"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
)

// codesOnPage is how many codes a page shows, and codesOnIndex how many of each kind the first page does.
const (
	codesOnPage  = 32
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
func (b *Content) writePages(dir string, means []*data.RGB) error {
	orders := b.orders()
	w := &writer{Content: b, dir: dir, means: means, orders: orders, urls: map[int]string{}}
	for i, k := range orders[0].codes {
		w.urls[k] = fmt.Sprintf("%s#c%d", orders[0].file(i/codesOnPage), k)
	}
	for _, o := range orders {
		for p := range o.pages() {
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
}

// write makes a page of a template and its content.
func (w *writer) write(name string, p page.Page, body *template.Template, content any) (err error) {
	if p.Body, err = page.Execute(body, content); err != nil {
		return err
	}
	p.Foot = "beit codebook"
	f, err := os.Create(filepath.Join(w.dir, name))
	if err != nil {
		return err
	}
	err = page.Render(f, p)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
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

// codeCard is what a page shows of a code.
type codeCard struct {
	CodeFigures
	Number          int
	Share           string
	Nearest, Random *sheetImage
	Mean            template.URL
	Classes         string
	Links           []page.Link // to the codes beside it
	Names           []patchName
}

// sheetImage is a sheet in a page.
type sheetImage struct {
	File          string
	Width, Height int
	Count         int
}

// patchName says where a patch comes from.
type patchName struct {
	Image  string
	Patch  explore.Patch
	Random bool
}

// card gathers what a page shows of a code.
func (w *writer) card(k int) (c codeCard, err error) {
	code := w.Codes.Codes[k]
	c = codeCard{CodeFigures: w.Code(k), Share: method.Percent(float64(code.Patches) / float64(w.Codes.Patches)), Classes: w.classesOf(code)}
	if c.Mean, err = page.PNG(w.means[k]); err != nil {
		return c, err
	}
	c.Nearest, c.Random = sheetOf(k, true, len(code.Nearest)), sheetOf(k, false, len(code.Random))
	for _, n := range c.Neighbours {
		c.Links = append(c.Links, page.Link{Text: fmt.Sprintf("%d\u00a0(%.2f)", n.Code, n.Cosine), URL: w.urls[n.Code]})
	}
	for _, p := range code.Nearest {
		c.Names = append(c.Names, patchName{w.Images.Name(p.Image), p, false})
	}
	for _, p := range code.Random {
		c.Names = append(c.Names, patchName{w.Images.Name(p.Image), p, true})
	}
	return c, nil
}

// sheetOf describes a sheet of n patches, nil without any.
func sheetOf(code int, near bool, n int) *sheetImage {
	if n == 0 {
		return nil
	}
	size := newPatchSheet(n).Rect.Size()
	return &sheetImage{sheetFile(code, near), size.X, size.Y, n}
}

// classesShown is how many classes of a code a page names.
const classesShown = 3

// classesOf names the classes that most patches of a code have, with their shares.
func (b *Content) classesOf(c explore.Code) (text string) {
	rest := c
	rest.Classes = append([]int32(nil), c.Classes...)
	for range classesShown {
		class, share := rest.TopClass()
		if class < 0 {
			break
		}
		if text != "" {
			text += ", "
		}
		text += b.Codes.Classes[class] + " " + method.Percent(share)
		rest.Classes[class] = 0
	}
	return text
}

// codesPage shows cards of codes.
var codesPage = page.Template("codes", cardTemplate+`
<div class="controls">{{with .Previous}}<a class="button" rel="prev" href="{{.}}">Previous</a>{{end}}
<span>Page {{.Page}} of {{.Pages}}</span>
{{with .Next}}<a class="button" rel="next" href="{{.}}">Next</a>{{end}}</div>
<div class="cards large">
{{range .Cards}}{{template "code" .}}{{end}}</div>
<div class="controls">{{with .Previous}}<a class="button" rel="prev" href="{{.}}">Previous</a>{{end}}
{{with .Next}}<a class="button" rel="next" href="{{.}}">Next</a>{{end}}</div>
`)

// cardTemplate shows a code.
const cardTemplate = `{{define "code"}}<article class="card" id="c{{.Code}}" aria-labelledby="h{{.Code}}">
<h3 id="h{{.Code}}">Code {{.Code}}</h3>
{{with .Nearest}}<img src="{{.File}}" width="{{.Width}}" height="{{.Height}}" loading="lazy" alt="{{.Count}} patches of code {{$.Code}} nearest to it, outlined in the part of their image around them">{{end}}
<p>{{.Patches}} patches ({{.Share}}) of {{.Images}} images; mean cosine {{printf "%.2f" .Cosine}}</p>
{{with .Classes}}<p>{{text .}}; spread over {{printf "%.1f" $.Spread}} classes</p>{{end}}
{{with .Links}}<p>Nearest codes: {{range $i, $link := .}}{{if $i}}, {{end}}<a href="{{.URL}}">{{.Text}}</a>{{end}}</p>{{end}}
<details><summary>Random patches, mean patch, images</summary>
{{with .Random}}<p>{{.Count}} patches at random</p>
<img src="{{.File}}" width="{{.Width}}" height="{{.Height}}" loading="lazy" alt="{{.Count}} patches of code {{$.Code}} chosen at random, outlined in the part of their image around them">{{end}}
<p>Mean of the nearest patches</p>
<img class="pixels" src="{{.Mean}}" width="64" height="64" style="width:4rem" alt="mean patch of code {{.Code}}">
<ol>{{range .Names}}<li>{{text .Image}}, row {{.Patch.Row}}, column {{.Patch.Col}}: {{printf "%.3f" .Patch.Cosine}}{{if .Random}}, at random{{end}}</li>
{{end}}</ol></details>
</article>
{{end}}`

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

// useBin counts the codes that have between Low and High patches.
type useBin struct {
	Label string
	Codes int
	Width string // of its bar, in percent of the longest
}

// useBins is the histogram of the use of codes: none, 1, 2 and 3, 4 to 7, and so on.
func useBins(codes []explore.Code) (list []useBin) {
	most := 1
	for _, c := range codes {
		at := bits.Len(uint(c.Patches))
		for len(list) <= at {
			low, high := 1<<len(list)>>1, 1<<len(list)-1
			label := strconv.Itoa(low)
			if high > low {
				label += " to " + strconv.Itoa(high)
			}
			list = append(list, useBin{Label: label})
		}
		list[at].Codes++
		most = max(most, list[at].Codes)
	}
	for i := range list {
		list[i].Width = fmt.Sprintf("%.1f", 100*float64(list[i].Codes)/float64(most))
	}
	return list
}
