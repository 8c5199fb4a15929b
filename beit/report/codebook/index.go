package codebook

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
)

// indexPage is the first page of a codebook.
var indexPage = page.Template("index", cardTemplate+`
{{template "facts" .Facts}}
{{with .Agreement}}<h2>What a code tells</h2>
<p>The purity is the share of patches in the most frequent group of their code: a class of images{{if gt (len .Columns) 3}}, or a part that masks
tell{{end}}. The information is the share of the entropy of groups that the code takes away. Below are controls: what codes without meaning reach.</p>
{{template "table" .}}
{{end}}
{{range .Groups}}<h2>{{.Title}}</h2>
{{if .About}}<p>{{.About}} <a href="{{.More}}">All of them</a>.</p>{{end}}
<div class="cards large">
{{range .Cards}}{{template "code" .}}{{end}}</div>
{{end}}
<h2>Map of the codebook</h2>
<p>Mean patches of codes, placed by the two axes on which the code vectors vary most. These have {{.Explained}} of the variance.
Each patch stands in the nearest free place. <a href="map.html">The map with links</a></p>
<div><a href="map.html"><img src="map.png" width="{{.MapSide}}" height="{{.MapSide}}" style="height:auto" loading="lazy" alt="Map of the mean patches of all codes that are used"></a></div>
<h2>How often codes are used</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Histogram of the use of codes">
<table><caption>Codes by the number of their patches</caption>
<thead><tr><th scope="col" class="number">patches</th><th scope="col" class="number">codes</th><th scope="col" style="width:60%"><span class="unseen">share</span></th></tr></thead>
<tbody>{{range .Bins}}<tr><td class="number">{{.Label}}</td><td class="number">{{.Codes}}</td><td><div style="height:0.9em;background:var(--s1);width:{{.Width}}%"></div></td></tr>
{{end}}</tbody></table></div>
<h2>Codes by number</h2>
<details><summary>{{len .All}} codes that patches have</summary>
<p style="max-width:none">{{range .All}}<a href="{{.URL}}">{{.Text}}</a> {{end}}</p></details>
{{with .Dead}}<details><summary>{{len .}} dead codes, that no patch has</summary>
<p style="max-width:none">{{range .}}{{.}} {{end}}</p></details>{{end}}
`)

// codeGroup is a few codes that the first page shows.
type codeGroup struct {
	Title, About, More string
	Cards              []codeCard
}

// writeIndex writes the first page.
func (w *writer) writeIndex() error {
	content := struct {
		Facts     []page.Fact
		Agreement *page.Table
		Groups    []codeGroup
		Explained string
		MapSide   int
		Bins      []useBin
		All       []page.Link
		Dead      []int
	}{
		Facts: w.facts(), Agreement: agreementTable(w.Codes), Explained: method.Percent(w.Map.Explained), MapSide: w.grid.side(),
		Bins: useBins(w.Codes.Codes), Dead: w.dead(),
	}
	var err error
	if content.Groups, err = w.groups(); err != nil {
		return err
	}
	for _, k := range w.Map.Used {
		content.All = append(content.All, page.Link{Text: fmt.Sprint(k), URL: w.urls[k]})
	}
	lead := fmt.Sprintf("The codes of %s on the patches of %s.", w.Model, w.Data)
	return w.write("index.html", page.Page{Title: "Codebook", Lead: lead, Nav: w.nav("index.html")}, indexPage, content)
}

// facts are the figures that stand above.
func (w *writer) facts() []page.Fact {
	u := w.Codes.Usage
	list := []page.Fact{
		{Name: "Images", Value: fmt.Sprint(w.Codes.Images)},
		{Name: "Patches", Value: fmt.Sprintf("%d, %d x %d of each image", w.Codes.Patches, w.Codes.Grid, w.Codes.Grid)},
		{Name: "Codes used", Value: fmt.Sprintf("%d of %d", u.Used, u.Codes)},
		{Name: "Dead codes", Value: fmt.Sprint(u.Codes - u.Used)},
		{Name: "Perplexity", Value: fmt.Sprintf("%.1f (entropy %.3f nat)", u.Perplexity, u.Entropy)},
		{Name: "Most common code", Value: method.Percent(u.TopShare)},
	}
	if n := len(w.Codes.Classes); n > 0 {
		list = append(list, page.Fact{Name: "Classes", Value: fmt.Sprint(n)})
	}
	return list
}

// agreementTable compares what codes tell of groups with its controls; nil without groups.
func agreementTable(c *explore.Codes) *page.Table {
	t := &page.Table{Caption: "Purity and information", Columns: []page.Column{{Name: "of"}}, Rows: [][]any{
		{"codes"}, {"codes permuted over patches"}, {"labels permuted over images"}, {"one code for all"},
	}}
	for _, group := range []struct {
		name string
		of   *explore.Agreement
	}{{"classes", c.ByClass}, {"parts", c.ByPart}} {
		if group.of == nil {
			continue
		}
		t.Columns = append(t.Columns, page.Column{Name: group.name + ": purity", Number: true}, page.Column{Name: "information", Number: true})
		for i, s := range []explore.Score{group.of.Codes, group.of.Permuted, group.of.LabelsPermuted, {Purity: group.of.Largest}} {
			cells := []any{method.Percent(s.Purity), method.Percent(s.Information)}
			if s.Purity == 0 { // a control that there is not
				cells = []any{"", ""}
			}
			t.Rows[i] = append(t.Rows[i], cells...)
		}
	}
	if len(t.Columns) == 1 {
		return nil
	}
	return t
}

// groups are the codes that the first page shows: those at the beginning and at the end of each order.
func (w *writer) groups() (list []codeGroup, err error) {
	add := func(title, about, more string, codes []int) {
		g := codeGroup{Title: title, About: about, More: more}
		for _, k := range codes {
			var card codeCard
			if card, err = w.card(k); err != nil {
				return
			}
			g.Cards = append(g.Cards, card)
		}
		if len(codes) > 0 {
			list = append(list, g)
		}
	}
	use := w.orders[0]
	most := use.codes[:min(codesOnIndex, len(use.codes))]
	add("Most used codes", "Each patch is outlined in the part of its image around it, the patch nearest to the code first, one of each image.",
		use.file(0), most)
	if len(w.orders) == 1 || err != nil {
		return list, err
	}
	var told []int // codes of enough images that are not shown yet
	for _, k := range w.orders[1].codes {
		if w.Codes.Codes[k].Images >= spreadImages && !slices.Contains(most, k) {
			told = append(told, k)
		}
	}
	n := min(codesOnIndex, len(told)/2)
	add("Codes of few classes", "Their patches come from images of few classes. The spread is the exponential of the entropy of classes.",
		w.orders[1].file(0), told[:n])
	add("Codes of many classes", "", "", told[len(told)-n:])
	return list, err
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
