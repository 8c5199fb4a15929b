package experiment

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// PageFile is the page in the folder of a comparison of entries.
const PageFile = "compare.html"

// entriesPage is the template of the page's body.
var entriesPage = page.Template("compare", `
{{range .Tables}}{{template "table" .}}
{{end}}{{range .Notes}}<p>{{text .}}</p>
{{end}}{{with .Drawing}}<h2>Difference to {{text .First}}, in percentage points</h2>
<svg class="drawing" role="img" aria-label="Intervals of the differences" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}">
<line x1="{{.Zero}}" x2="{{.Zero}}" y1="0" y2="{{.Axis}}" stroke-dasharray="3 3"/>
{{range .Bars}}<text x="0" y="{{.Text}}">{{text .Name}}</text><line x1="{{.Low}}" x2="{{.High}}" y1="{{.Y}}" y2="{{.Y}}" stroke-width="2"/><circle cx="{{.Mean}}" cy="{{.Y}}" r="4"/>
{{end}}<line x1="{{.Left}}" x2="{{.Width}}" y1="{{.Axis}}" y2="{{.Axis}}"/>
{{range .Ticks}}<line x1="{{.X}}" x2="{{.X}}" y1="{{.Y}}" y2="{{.Foot}}"/><text x="{{.X}}" y="{{.Text}}" text-anchor="middle">{{.Name}}</text>
{{end}}</svg>
{{end}}<h2>Settings</h2>
<pre>{{lines .Common}}</pre>
{{range .Entries}}<h3>{{text .Name}}</h3>
<pre>{{lines .Text}}</pre>
{{end}}`)

// writePage writes the tables as a page, with a drawing of the differences and the settings of each entry.
func (s *Standing) writePage(name string) error {
	type settings struct{ Name, Text string }
	content := struct {
		Common  string
		Tables  []page.Table
		Notes   []string
		Drawing *drawing
		Entries []settings
	}{
		Drawing: s.draw(), Notes: s.Notes(),
		Common: fmt.Sprintf("images: %s\npreset: %s\nseeds: %s\nset: %s\n", s.Data, s.Preset, listOf(s.Seeds), strings.Join(s.Set, ", ")),
	}
	if g := s.results(); g != nil {
		content.Tables = append(content.Tables, g.page("Results"))
	}
	if g := s.probes(); g != nil {
		content.Tables = append(content.Tables, g.page("Probes"))
	}
	for _, r := range s.Rows {
		content.Entries = append(content.Entries, settings{r.Entry.Name, r.settings()})
	}
	body, err := page.Execute(entriesPage, content)
	if err != nil {
		return err
	}
	lead := fmt.Sprintf("With one seed, the runs of an entry together may take %s %s. A difference is claimed where its 95 %% interval, by a bootstrap over images and seeds, does not contain 0.",
		s.amount(s.Budget), s.Unit)
	return page.Write(name, page.Page{Title: "Entries at equal cost", Lead: lead, Body: body})
}

// page is the table for a page. All columns but the first have numbers.
func (g grid) page(caption string) page.Table {
	t := page.Table{Caption: caption}
	for i, name := range g[0] {
		t.Columns = append(t.Columns, page.Column{Name: name, Number: i > 0})
	}
	for _, row := range g[1:] {
		var cells []any
		for _, cell := range row {
			cells = append(cells, cell)
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// settings are the runs of an entry in lines.
func (r *EntryRow) settings() string {
	var text strings.Builder
	for _, m := range r.Entry.methods() {
		own := strings.Join(*r.Entry.own(m), ", ")
		fmt.Fprintf(&text, "%s: %s", m.Name, cmp.Or(own, "as in the preset"))
		if share, ok := r.Entry.Shares[m.Name]; ok {
			fmt.Fprintf(&text, " (%g of the cost)", share)
		}
		text.WriteString("\n")
	}
	for _, line := range []struct{ name, value string }{
		{"tokenizer_run", r.Entry.TokenizerRun}, {"init", r.Entry.Init}, {"sweep", strings.Join(r.Entry.Sweep, ", ")}, {"chosen", r.Chosen},
	} {
		if line.value != "" {
			fmt.Fprintf(&text, "%s: %s\n", line.name, line.value)
		}
	}
	return text.String()
}

// drawing has the places of the differences and their intervals, in pixels.
type drawing struct {
	First                           string
	Width, Height, Left, Axis, Zero int
	Bars                            []bar
	Ticks                           []tick
}

type bar struct {
	Name               string
	Low, Mean, High, Y int
	Text               int // the name's base line
}

type tick struct {
	Name             string
	X, Y, Foot, Text int
}

// Sizes of the drawing.
const (
	drawingWidth = 900
	drawingLeft  = 300 // where the scale begins, right of the names
	drawingRow   = 28
	nameLetters  = 40 // of an entry that the drawing shows
)

// draw places the differences; nil where there is none.
func (s *Standing) draw() *drawing {
	low, high := 0.0, 0.0
	var rows []EntryRow
	for _, r := range s.Rows {
		if d := r.Difference; d != nil {
			low, high, rows = min(low, d.Low), max(high, d.High), append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	step := niceStep((high - low) / 5)
	low, high = step*math.Floor(low/step), step*math.Ceil(high/step)
	if low == high {
		low, high = -step, step
	}
	const margin = 20 // for half a label on either side
	x := func(v float64) int {
		return drawingLeft + margin + int(math.Round((v-low)/(high-low)*(drawingWidth-drawingLeft-2*margin)))
	}
	d := &drawing{First: plain.Text(s.Rows[0].Entry.Name), Width: drawingWidth, Left: drawingLeft, Zero: x(0), Axis: drawingRow * (len(rows) + 1)}
	d.Height = d.Axis + drawingRow
	for i, r := range rows {
		name := []rune(plain.Text(r.Entry.Name))
		if len(name) > nameLetters {
			name = append(name[:nameLetters-1], '…')
		}
		y := drawingRow * (i + 1)
		d.Bars = append(d.Bars, bar{string(name), x(r.Difference.Low), x(r.Difference.Mean), x(r.Difference.High), y, y + 5})
	}
	for k := math.Round(low / step); k <= math.Round(high/step); k++ {
		d.Ticks = append(d.Ticks, tick{fmt.Sprintf("%.4g", 100*k*step), x(k * step), d.Axis, d.Axis + 5, d.Axis + 20})
	}
	return d
}

// niceStep is the least of 1, 2, 5, 10, 20, … thousandths and so on that is not below v.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(v, 1e-3))))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= v {
			return f * power
		}
	}
	return 10 * power
}

// listOf writes numbers with commas.
func listOf(list []int64) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(list), "[]"), " ", ", ")
}
