package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// page is the template of the report. It loads nothing from outside.
var page = template.Must(template.New("report").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{{.Title}}</title>
<style>
body { font-family: sans-serif; margin: 2em; max-width: 70em }
td, th { text-align: right; padding: 0 1em 0 0 }
img { max-width: 100% }
</style>
<h1>{{.Title}}</h1>
<p>{{.Steps}} steps on {{.Data}}</p>
{{range .Tables}}<h2>{{.Title}}</h2>
<table>
<tr><th>epoch</th>{{range .Keys}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
{{end}}<h2>Curves</h2>
<img alt="curves" src="data:image/png;base64,{{.Curves}}">
<h2>Configuration</h2>
<pre>{{.Config}}</pre>
</html>
`))

// table is a table with a row for each epoch.
type table struct {
	Title string
	Keys  []string // column labels
	Rows  [][]string
}

// HTML writes a page about a run of a method, with the metrics of its epochs, its curves and its configuration.
func HTML(name string, m *method.Method, cfg *config.Config, records []run.Record) error {
	metrics := m.AllMetrics()
	canvas, err := drawCurves(metrics, records)
	if err != nil {
		return err
	}
	var curves bytes.Buffer
	if _, err := canvas.WriteTo(&curves); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	content := struct {
		Title, Data, Config string
		Curves              template.URL
		Steps               int
		Tables              []table
	}{
		Title: fmt.Sprintf("%s, preset %s", cfg.Method, cfg.Preset), Data: plain.Text(cfg.Data.Path.String()), Config: plain.Lines(cfg.TOML()),
		Curves: template.URL(base64.StdEncoding.EncodeToString(curves.Bytes())),
		Steps:  records[len(records)-1].Step,
	}
	for _, t := range []struct{ kind, title string }{{run.KindVal, "Validation"}, {run.KindEpoch, "Training, means of each epoch"}} {
		if f := tabulate(t.title, t.kind, metrics, records); len(f.Rows) > 0 {
			content.Tables = append(content.Tables, f)
		}
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error { return page.Execute(w, content) })
}

// column is the heading of a metric's column.
func column(m method.Metric) string {
	if m.Unit == "" {
		return m.Label
	}
	return m.Label + ", " + m.Unit
}

// tabulate returns a table of the records of a kind. Values that a record does not have are blank.
func tabulate(title, kind string, metrics []method.Metric, records []run.Record) table {
	records = slices.DeleteFunc(slices.Clone(records), func(r run.Record) bool { return r.Kind != kind })
	f := table{Title: title}
	var keys []string
	for _, m := range metrics {
		if slices.ContainsFunc(records, func(r run.Record) bool { _, ok := r.Values[m.Key]; return ok }) {
			keys, f.Keys = append(keys, m.Key), append(f.Keys, column(m))
		}
	}
	for _, r := range records {
		row := []string{strconv.Itoa(r.Epoch)}
		for _, k := range keys {
			cell := ""
			if v, ok := r.Values[k]; ok {
				cell = strconv.FormatFloat(v, 'g', 5, 64)
			}
			row = append(row, cell)
		}
		f.Rows = append(f.Rows, row)
	}
	return f
}
