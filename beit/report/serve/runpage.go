package serve

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// errNoRun is wrapped by the errors about a run that is not there.
var errNoRun = errors.New("there is no such run")

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
	Problem string
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
	c := runContent{row: s.rowOf(l), Events: place(eventsPath, name), Charts: page.Charts{Axes: axes}}
	c.Facts = []page.Fact{{Name: "folder", Value: l.Dir}, {Name: "changed", Value: c.Updated.Format("2006-01-02 15:04:05")}, {Name: "size of all files", Value: c.Size}}
	if err == nil {
		c.Charts.Charts = newCurves(m.AllMetrics()).charts()
		c.Config = plain.Lines(cfg.TOML())
		c.Facts = append(c.Facts, page.Fact{Name: "images", Value: cfg.Data.Path.String()})
		c.Verdict = verdict(l, m, cfg)
	}
	c.Pages = s.offers(l, m, name)
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

// offers are the pages that there are or can be about a run.
func (s *Server) offers(l model.Listed, m *method.Method, name string) []offer {
	list := []offer{s.offer(l.Dir, name, offer{Title: "Report", Text: "Curves, data and configuration on one page, to keep or print."}, run.ReportFile, "report")}
	if m == nil {
		return list
	}
	images := offer{Title: "Look at an image", Text: "Drop an image and see what the model makes of it.", URL: place(imagePath, name)}
	return append(list, images)
}

// offer completes o for a file in the run folder that a command of beit writes.
func (s *Server) offer(dir, name string, o offer, file string, command ...string) offer {
	if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.Mode().IsRegular() {
		o.URL = place(filesPath, strings.TrimPrefix(name+"/"+filepath.ToSlash(file), "/"))
		return o
	}
	return o
}
