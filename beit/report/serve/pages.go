package serve

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

//go:embed templates
var templates embed.FS

// body returns the template of a page's body. The list of runs is a template of its own, since it is also sent alone.
func body(name string) *template.Template {
	text, err := templates.ReadFile("templates/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return page.Template(name, string(text))
}

var (
	listBody = body("list.html")
	runBody  = body("run.html")
)

// row is a run as the list shows it.
type row struct {
	Name, URL string
	State     run.State
	Method    string
	Done, Of  int // epochs
	Left      string
	Figure    string
	Updated   time.Time
	Size      string
	Problem   string
}

// rowOf writes the figures of a run.
func (s *Server) rowOf(l model.Listed) row {
	name := s.roster.name(l.Dir)
	return row{
		Name: s.title(name), URL: place(runPath, name), State: l.State, Method: joined(l.Method, l.Preset), Done: l.Done, Of: l.Epochs,
		Left: left(time.Duration(l.Left * float64(time.Second))), Figure: figure.Metric(l.Metric, l.Value), Updated: l.Updated.Local(),
		Size: figure.Bytes(l.Bytes), Problem: short(l.Problem),
	}
}

// title is the name of a run for people.
func (s *Server) title(name string) string {
	if name == "" {
		name = filepath.Base(s.roster.root)
	}
	return plain.Text(name)
}

// joined joins what is not empty.
func joined(words ...string) string {
	var list []string
	for _, w := range words {
		if w != "" {
			list = append(list, plain.Text(w))
		}
	}
	return strings.Join(list, ", ")
}

// left writes how long a run will take.
func left(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return figure.Duration(d)
}

// maxProblem is how many characters of an error a page shows: it can quote a damaged file.
const maxProblem = 400

// short is the beginning of an error's text.
func short(text string) string {
	if runes := []rune(text); len(runes) > maxProblem {
		text = string(runes[:maxProblem]) + " …"
	}
	return plain.Text(text)
}

// place is the path of a page or file: every part of its name is escaped.
func place(below, name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return below + strings.Join(parts, "/")
}

// list sends the list of runs alone, for the page that shows it.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	content, err := s.rows(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var b bytes.Buffer
	if err := listBody.ExecuteTemplate(&b, "runs", content); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// rows are the runs in the order of the list.
func (s *Server) rows(r *http.Request) ([]row, error) {
	list, err := s.roster.runs(r.Context())
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(list))
	for i, l := range list {
		rows[i] = s.rowOf(l)
	}
	return rows, nil
}

// listPage shows the runs.
func (s *Server) listPage(w http.ResponseWriter, r *http.Request) {
	rows, err := s.rows(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, r, listBody, rows, page.Page{Title: "Runs", Lead: "In " + plain.Text(s.roster.root), Scripts: []string{ownPath + "list.js"}})
}

// show sends a page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, body *template.Template, content any, p page.Page) {
	html, err := page.Execute(body, content)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p.Body, p.Assets, p.Styles = html, assetsPath, []string{ownPath + "serve.css"}
	p.Nav = []page.Link{{Text: "Runs", URL: "/", Current: r.URL.Path == "/"}, {Text: "Look at an image", URL: imagePath, Current: r.URL.Path == imagePath}}
	var b bytes.Buffer
	if err := page.Render(&b, p); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// problem is an error with the status by which it is answered. Others are answered by 500.
type problem struct {
	error
	status int
}

// errNoRun is the error of a name that no run has.
var errNoRun = problem{errors.New("there is no such run"), http.StatusNotFound}

// fail answers with an error: one line.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	if p := (problem{}); errors.As(err, &p) {
		status = p.status
	}
	if r.Context().Err() == nil { // somebody waits for an answer
		http.Error(w, short(err.Error()), status)
	}
}
