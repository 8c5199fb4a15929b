package report

import (
	"slices"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
)

// tallFrom is the number of rows from which a table has a box of limited height.
const tallFrom = 12

var tablesBody = page.Template("tables", `{{range .}}{{template "table" .}}{{end}}`)

// epochs are the tables of what the epochs brought.
func (r *Run) epochs() (part, error) {
	metrics := method.LoopMetrics()
	if r.Method != nil {
		metrics = r.Method.AllMetrics()
	}
	var list []page.Table
	for _, t := range []struct{ kind, title string }{{run.KindVal, "Validation"}, {run.KindEpoch, "Training, means of each epoch"}} {
		if f := tabulate(t.title, t.kind, metrics, r.Records); len(f.Rows) > 0 {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return part{}, nil
	}
	body, err := page.Execute(tablesBody, list)
	return part{"epochs", "Epochs", body}, err
}

// heading is the heading of a metric's column.
func heading(m method.Metric) string {
	if m.Unit == "" {
		return m.Label
	}
	return m.Label + ", " + m.Unit
}

// tabulate returns a table of the records of a kind. Values that a record does not have are blank.
func tabulate(title, kind string, metrics []method.Metric, records []run.Record) page.Table {
	records = slices.DeleteFunc(slices.Clone(records), func(r run.Record) bool { return r.Kind != kind })
	t := page.Table{Caption: title, Columns: []page.Column{{Name: "epoch", Number: true}}, Tall: len(records) > tallFrom}
	var keys []string
	for _, m := range metrics {
		if slices.ContainsFunc(records, func(r run.Record) bool { _, ok := r.Values[m.Key]; return ok }) {
			keys, t.Columns = append(keys, m.Key), append(t.Columns, page.Column{Name: heading(m), Number: true})
		}
	}
	for _, r := range records {
		row := []any{r.Epoch}
		for _, k := range keys {
			if v, ok := r.Values[k]; ok {
				row = append(row, v)
			} else {
				row = append(row, "")
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

var configurationBody = page.Template("configuration", `
{{if not .Known}}<p>There is no preset {{text .Preset}} to compare with.</p>
{{else if .Changed.Rows}}{{template "table" .Changed}}{{else}}<p>All values are those of preset {{text .Preset}}.</p>{{end}}
<details><summary>All keys, and what they mean</summary>{{template "table" .All}}</details>
<details><summary>config.toml</summary><pre>{{lines .TOML}}</pre></details>`)

// configuration is the configuration beside its preset.
func (r *Run) configuration() (part, error) {
	content := struct {
		Changed, All page.Table
		TOML, Preset string
		Known        bool // the preset
	}{TOML: r.Config.TOML(), Preset: r.Config.Preset, Known: slices.Contains(r.Method.Presets, r.Config.Preset)}
	columns := []page.Column{{Name: "key"}, {Name: "value"}}
	content.All = page.Table{Caption: "All keys", Tall: true, Columns: slices.Concat(columns, []page.Column{{Name: "meaning"}})}
	list := r.Config.Explain()
	for _, e := range list {
		content.All.Rows = append(content.All.Rows, []any{e.Key, e.Value, e.Help})
	}
	if content.Known {
		content.Changed = page.Table{Caption: "Keys whose value is not that of the preset", Columns: append(columns, page.Column{Name: "preset " + content.Preset})}
		for i, e := range r.Method.Preset(content.Preset).Explain() {
			if list[i].Value != e.Value {
				content.Changed.Rows = append(content.Changed.Rows, []any{e.Key, list[i].Value, e.Value})
			}
		}
	}
	body, err := page.Execute(configurationBody, content)
	return part{"configuration", "Configuration", body}, err
}
