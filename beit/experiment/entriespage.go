package experiment

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// PageFile is the page in the folder of a comparison of entries.
const PageFile = "compare.html"

// entriesPage is the template of the page. It loads nothing from outside, and takes the colours of the browser's light or dark scheme.
var entriesPage = template.Must(template.New("compare").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<style>
:root { color-scheme: light dark }
body { font-family: sans-serif; margin: 2em; max-width: 70em }
.wide { overflow-x: auto }
table { margin-bottom: 1em }
td, th { text-align: right; padding: 0.2em 1em 0.2em 0; vertical-align: bottom }
td { white-space: nowrap }
td:first-child, th:first-child { text-align: left }
svg { max-width: 100%; height: auto }
svg text { fill: currentColor; font: 13px sans-serif }
svg line { stroke: currentColor }
svg circle { fill: currentColor }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
</style>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{range .Tables}}<div class="wide"><table>
{{range $i, $row := .}}<tr>{{range $row}}{{if $i}}<td>{{.}}</td>{{else}}<th>{{.}}</th>{{end}}{{end}}</tr>
{{end}}</table></div>
{{end}}{{range .Notes}}<p>{{.}}</p>
{{end}}{{with .Drawing}}<h2>Difference to {{.First}}, in percentage points</h2>
<svg role="img" aria-label="intervals of the differences" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}">
<line x1="{{.Zero}}" x2="{{.Zero}}" y1="0" y2="{{.Axis}}" stroke-dasharray="3 3"/>
{{range .Bars}}<text x="0" y="{{.Text}}">{{.Name}}</text><line x1="{{.Low}}" x2="{{.High}}" y1="{{.Y}}" y2="{{.Y}}" stroke-width="2"/><circle cx="{{.Mean}}" cy="{{.Y}}" r="4"/>
{{end}}<line x1="{{.Left}}" x2="{{.Width}}" y1="{{.Axis}}" y2="{{.Axis}}"/>
{{range .Ticks}}<line x1="{{.X}}" x2="{{.X}}" y1="{{.Y}}" y2="{{.Foot}}"/><text x="{{.X}}" y="{{.Text}}" text-anchor="middle">{{.Name}}</text>
{{end}}</svg>
{{end}}<h2>Settings</h2>
<pre>{{.Common}}</pre>
{{range .Entries}}<h3>{{.Name}}</h3>
<pre>{{.Text}}</pre>
{{end}}</html>
`))

// writePage writes the tables as a page, with a drawing of the differences and the settings of each entry.
func (s *Standing) writePage(name string) error {
	type settings struct{ Name, Text string }
	content := struct {
		Title, Text, Common string
		Tables              []grid
		Notes               []string
		Drawing             *drawing
		Entries             []settings
	}{
		Title: "Entries at equal cost", Drawing: s.draw(), Notes: s.Notes(),
		Text: fmt.Sprintf("With one seed, the runs of an entry together may take %s %s. A difference is claimed where its 95 %% interval, by a bootstrap over images and seeds, does not contain 0.",
			s.amount(s.Budget), s.Unit),
		Common: plain.Lines(fmt.Sprintf("images: %s\npreset: %s\nseeds: %s\nset: %s\n", s.Data, s.Preset, listOf(s.Seeds), strings.Join(s.Set, ", "))),
	}
	for _, g := range []grid{s.results(), s.probes()} {
		if g != nil {
			content.Tables = append(content.Tables, g.plain())
		}
	}
	for i, note := range content.Notes {
		content.Notes[i] = plain.Text(note)
	}
	for _, r := range s.Rows {
		content.Entries = append(content.Entries, settings{plain.Text(r.Entry.Name), plain.Lines(r.settings())})
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error { return entriesPage.Execute(w, content) })
}

// plain is the table with what cannot be seen made visible.
func (g grid) plain() grid {
	shown := make(grid, len(g))
	for i, row := range g {
		for _, cell := range row {
			shown[i] = append(shown[i], plain.Text(cell))
		}
	}
	return shown
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
