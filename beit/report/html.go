package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state"
)

// page is the report; it refers to nothing outside.
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
<p>{{.Updates}} updates on {{.Data}}</p>
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

// figures is a table with a row for each of some epochs.
type figures struct {
	Title string
	Keys  []string
	Rows  [][]string
}

// HTML writes a page about a run: the figures of its epochs, its curves and its configuration.
func HTML(name string, cfg train.Config, records []train.Record) error {
	picture, err := drawing(records)
	if err != nil {
		return err
	}
	var curves bytes.Buffer
	if _, err := picture.WriteTo(&curves); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	content := struct {
		Title, Data, Config string
		Curves              template.URL
		Updates             int
		Tables              []figures
	}{
		Title: fmt.Sprintf("%s, preset %s", cfg.Stage, cfg.Preset), Data: cfg.Data.Path, Config: cfg.TOML(),
		Curves:  template.URL(base64.StdEncoding.EncodeToString(curves.Bytes())),
		Updates: records[len(records)-1].Step,
	}
	for _, t := range []struct{ kind, title string }{{train.KindVal, "Validation"}, {train.KindEpoch, "Training, means of each epoch"}} {
		if f := tabulate(t.title, t.kind, records); len(f.Rows) > 0 {
			content.Tables = append(content.Tables, f)
		}
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error { return page.Execute(w, content) })
}

// tabulate collects the records of a kind. A value that a record lacks is left blank.
func tabulate(title, kind string, records []train.Record) figures {
	seen := map[string]bool{}
	for _, r := range records {
		if r.Kind == kind {
			for k := range r.Values {
				seen[k] = true
			}
		}
	}
	keys := slices.Sorted(maps.Keys(seen))
	f := figures{Title: title}
	for _, k := range keys {
		f.Keys = append(f.Keys, strings.ReplaceAll(k, "_", " "))
	}
	for _, r := range records {
		if r.Kind != kind {
			continue
		}
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
