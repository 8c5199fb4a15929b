package codebook

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
)

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
{{with .Mean}}<p>Mean of the nearest patches</p>
<img class="pixels" src="{{.}}" width="64" height="64" style="width:4rem" alt="mean patch of code {{$.Code}}">
{{end}}<ol>{{range .Names}}<li>{{text .Image}}, row {{.Patch.Row}}, column {{.Patch.Col}}: {{printf "%.3f" .Patch.Cosine}}{{if .Random}}, at random{{end}}</li>
{{end}}</ol></details>
</article>
{{end}}`

// codeCard is what a page shows of a code.
type codeCard struct {
	CodeFigures
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
	if m := w.means[k]; m != nil {
		if c.Mean, err = page.PNG(m); err != nil {
			return c, err
		}
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
	size := patchSheetSize(n)
	return &sheetImage{sheetFile(code, near), size.X, size.Y, n}
}

// classesShown is how many classes of a code a page names.
const classesShown = 3

// classesOf names the classes that most patches of a code have, with their shares.
func (b *Content) classesOf(c explore.Code) (text string) {
	rest := c
	rest.Classes = slices.Clone(c.Classes)
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
