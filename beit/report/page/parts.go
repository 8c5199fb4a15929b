package page

import (
	"html/template"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state/plain"
)

// Fact is a name and a value of a list of facts.
type Fact struct{ Name, Value string }

// Table is a table that scrolls in a box of its own. Readers may sort it by any column.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]any // cells: text, numbers, or template.HTML
	Tall    bool    // many rows: the box has a limited height
}

// Column is a column of a table.
type Column struct {
	Name   string
	Number bool // right-aligned
}

// parts are the templates that every template made by Template has.
var parts = template.Must(template.New("parts").Funcs(template.FuncMap{"text": text, "lines": plain.Lines, "parts": pathParts}).Parse(`
{{define "facts"}}<dl class="facts">{{range .}}<div><dt>{{text .Name}}</dt><dd>{{range $i, $part := parts .Value}}{{if $i}}<wbr>{{end}}{{$part}}{{end}}</dd></div>{{end}}</dl>{{end}}
{{define "table"}}<div class="scroll{{if .Tall}} tall{{end}}" tabindex="0" role="region" aria-label="{{text .Caption}}">
<table class="sortable"><caption>{{text .Caption}}</caption>
<thead><tr>{{range .Columns}}<th scope="col"{{if .Number}} class="number"{{end}}>{{text .Name}}</th>{{end}}</tr></thead>
<tbody>
{{range .Rows}}<tr>{{range $i, $cell := .}}<td{{if (index $.Columns $i).Number}} class="number"{{end}}>{{text $cell}}</td>{{end}}</tr>
{{end}}</tbody></table></div>{{end}}
{{define "charts"}}<section class="chart-group">
<form class="controls chart-controls" hidden aria-label="Controls of the charts">
{{if gt (len .Axes) 1}}<label>Horizontal axis <select name="axis">{{range .Axes}}<option>{{text .}}</option>{{end}}</select></label>
{{end}}<label><input type="checkbox" name="log"> Logarithmic values</label>
<label>Smoothing <input type="range" name="smoothing" min="0" max="0.99" step="0.01" value="0"> <output name="weight">0</output></label>
</form>
<div class="charts">
{{range .Charts}}<figure class="chart"><figcaption>{{text .Title}}{{with .Unit}} <span class="quiet">({{text .}})</span>{{end}}</figcaption>
<div class="plot" tabindex="0" role="group" aria-label="{{text .Title}}: a chart. Arrow keys move from value to value."></div>
<p class="quiet"><output class="at" aria-live="off"></output></p>
<ul class="legend"></ul>
<p class="unseen said" role="status"></p>
<details><summary>Figures</summary>{{template "table" .Figures}}</details>
<script type="application/json">{{.JSON $.Axes}}</script></figure>
{{end}}</div></section>{{end}}
`))

// pathParts are the pieces of a text that end in a slash, and the rest: a long path may be broken between them.
func pathParts(s string) []string { return strings.SplitAfter(plain.Text(s), "/") }

// text makes visible what cannot be seen in a text, and writes a number with five digits. Other values stay as they are.
func text(v any) any {
	switch v := v.(type) {
	case string:
		return plain.Text(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 5, 64)
	}
	return v
}

// Template returns a template of a body, which may use the parts and functions that the package documents. A fault in the text panics.
func Template(name, body string) *template.Template {
	return template.Must(template.Must(parts.Clone()).New(name).Parse(body))
}

// Execute returns what a template makes of its content, as the body of a Page.
func Execute(t *template.Template, content any) (template.HTML, error) {
	var b strings.Builder
	if err := t.Execute(&b, content); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}
