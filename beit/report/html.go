package report

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
)

// part is a part of what a page says of a run.
type part struct {
	ID, Title string
	Body      template.HTML
}

// section is all that a page says of a run.
type section struct {
	ID, Label string
	Parts     []part
}

var sections = page.Template("report", `
{{with .Overview}}<h2 id="runs">Runs</h2>{{template "table" .}}{{end}}
{{range .Runs}}{{$id := .ID}}<section aria-labelledby="{{$id}}"><h2 id="{{$id}}"{{if not $.Overview}} class="unseen"{{end}}>{{text .Label}}</h2>
{{range .Parts}}{{if .Title}}<h3 id="{{$id}}-{{.ID}}">{{.Title}}</h3>{{end}}
{{.Body}}
{{end}}</section>
{{end}}`)

// link is a link inside a cell of a table.
var link = page.Template("link", `<a href="{{.URL}}">{{text .Text}}</a>`)

// HTML writes a page about runs, in the order given. What Look found of a run is on it. With an empty title the page is called after the last
// run.
func HTML(name, title string, runs ...*Run) error {
	content := struct {
		Overview *page.Table
		Runs     []section
	}{}
	names, ids := labels(runs), map[string]string{}
	for i, r := range runs {
		ids[whole(r.Dir)] = fmt.Sprintf("run-%d", i+1)
	}
	for i, r := range runs {
		s := section{ID: ids[whole(r.Dir)], Label: names[i]}
		parts, err := r.parts(func(dir string) string { return linkTo(dir, ids, filepath.Dir(name)) })
		if err != nil {
			return fmt.Errorf("report of %s: %w", r.Dir, err)
		}
		s.Parts = parts
		content.Runs = append(content.Runs, s)
	}
	var nav []page.Link
	if len(runs) > 1 {
		t, err := overview(runs, content.Runs)
		if err != nil {
			return err
		}
		content.Overview = &t
		for _, s := range content.Runs {
			nav = append(nav, page.Link{Text: s.Label, URL: "#" + s.ID})
		}
	} else {
		for _, s := range content.Runs {
			for _, p := range s.Parts[1:] {
				nav = append(nav, page.Link{Text: p.Title, URL: "#" + s.ID + "-" + p.ID})
			}
		}
	}
	body, err := page.Execute(sections, content)
	if err != nil {
		return err
	}
	return page.Write(name, page.Page{Title: cmp.Or(title, names[len(names)-1]), Lead: lead(runs), Nav: nav, Body: body, Charts: true})
}

// lead is the sentence below a page's title.
func lead(runs []*Run) string {
	if len(runs) > 1 {
		return fmt.Sprintf("%d runs, each after those that it comes from.", len(runs))
	}
	r := runs[0]
	if r.Method == nil {
		return "A run whose configuration cannot be read."
	}
	return strings.TrimSuffix(fmt.Sprintf("A run of beit %s, preset %s: %s", r.Method.Command, r.Config.Preset, r.state()), ": ") + "."
}

// linkTo is the address of a run: on the same page, or its own page as seen from a folder; empty where there is none.
func linkTo(dir string, ids map[string]string, from string) string {
	if id, ok := ids[whole(dir)]; ok {
		return "#" + id
	}
	file := filepath.Join(whole(dir), run.ReportFile)
	rel, err := filepath.Rel(whole(from), file)
	if err != nil || !run.Finished(dir, run.ReportFile) {
		return ""
	}
	return (&url.URL{Path: filepath.ToSlash(rel)}).String()
}

// overview is a table with a row for each run.
func overview(runs []*Run, list []section) (page.Table, error) {
	t := page.Table{Caption: "Runs on this page", Columns: []page.Column{
		{Name: "run"}, {Name: "trains"}, {Name: "preset"}, {Name: "state"}, {Name: "steps", Number: true}, {Name: "result"}, {Name: "duration", Number: true},
	}}
	for i, r := range runs {
		name, err := page.Execute(link, page.Link{Text: list[i].Label, URL: "#" + list[i].ID})
		if err != nil {
			return t, err
		}
		row := []any{name, "", "", string(r.state()), r.lastStep(), r.result(), clock(r.duration())}
		if r.Method != nil {
			row[1], row[2] = r.Method.Title, r.Config.Preset
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}
