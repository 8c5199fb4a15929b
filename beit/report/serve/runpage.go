package serve

import (
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// run finds the run that a request names. Without one it answers, and ok is false.
func (s *Server) run(w http.ResponseWriter, r *http.Request) (l model.Listed, ok bool) {
	name := strings.TrimSuffix(r.PathValue("name"), "/")
	l, err := s.roster.find(r.Context(), name)
	if err != nil {
		s.fail(w, r, err)
	}
	return l, err == nil
}

// runContent is what the page of a run shows.
type runContent struct {
	row
	Events  string // URL of its stream
	Verdict []string
	Pages   []offer
	Charts  page.Charts
	Facts   []page.Fact
	Config  string
}

// offer is a page about a run: a link where it is there, and else the command that makes it.
type offer struct {
	Title, Text string
	URL         string
	Command     string
}

// runPage shows a run.
func (s *Server) runPage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.run(w, r)
	if !ok {
		return
	}
	name := s.roster.name(l.Dir)
	m, cfg, err := model.Settings(l.Dir)
	if err != nil {
		cfg = nil
	}
	c := runContent{row: s.rowOf(l), Events: place(eventsPath, name), Charts: page.Charts{Axes: axes}}
	c.Facts = []page.Fact{{Name: "folder", Value: l.Dir}, {Name: "changed", Value: c.Updated.Format("2006-01-02 15:04:05")}, {Name: "size of all files", Value: c.Size}}
	if cfg != nil {
		c.Charts.Charts = newCurves(m.AllMetrics()).charts()
		c.Config = plain.Lines(cfg.TOML())
		c.Facts = append(c.Facts, page.Fact{Name: "images", Value: cfg.Data.Path.String()})
		c.Verdict = verdict(l, m, cfg)
	}
	c.Pages = s.offers(l, m, cfg)
	p := page.Page{Title: c.Name, Lead: joined(l.Method, "preset "+l.Preset), Charts: true, Scripts: []string{ownPath + "run.js"}}
	s.show(w, r, runBody, c, p)
}

// verdict says what a finished run has reached.
func verdict(l model.Listed, m *method.Method, cfg *config.Config) []string {
	if l.State != run.StateFinished || m.Verdict == nil {
		return nil
	}
	digest, err := model.ReadDigest(l.Dir, m)
	if err != nil {
		return nil
	}
	return m.Verdict(digest.Outcome(cfg))
}

// offers are the pages that there are or can be about a run with configuration cfg, which may be nil.
func (s *Server) offers(l model.Listed, m *method.Method, cfg *config.Config) []offer {
	list := []offer{s.offer(l.Dir, run.ReportFile, "Report", "Curves, data, examples and configuration on one page, to keep or print.", "report", l.Dir)}
	if cfg == nil {
		return list
	}
	if hasModel(l) {
		list = append(list, offer{Title: "Look at an image", Text: "Drop an image and see what the model makes of it.", URL: place(imagePath, s.roster.name(l.Dir))})
	}
	images := cfg.Data.Path.List()
	folder := codebookDir
	title, text := "Codes", "What each code stands for: its patches in their images."
	if model.UseOfMethod(m) != model.Codes {
		folder, title, text = mapDir, "Map of the images", "Clusters, near-duplicates, outliers, and labels that may be wrong."
	}
	command := append(append([]string{folder, l.Dir}, images...), "--out", filepath.Join(l.Dir, folder))
	if folder == mapDir { // with what finds the images that resemble another
		command = append(command, "--index", filepath.Join(l.Dir, indexName))
	}
	return append(list, s.offer(l.Dir, folder+"/"+indexFile, title, text, command...))
}

// offer is a page in a run folder: a link where it is there, and else the command of beit that makes it.
func (s *Server) offer(dir, file, title, text string, command ...string) offer {
	o := offer{Title: title, Text: text}
	if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(file))); err == nil && info.Mode().IsRegular() {
		o.URL = place(filesPath, path.Join(s.roster.name(dir), file))
		return o
	}
	command = append([]string{"beit"}, command...)
	if s.opt.Shell == nil {
		o.Command = strings.Join(command, " ")
		return o
	}
	o.Command = s.opt.Shell(command)
	return o
}
