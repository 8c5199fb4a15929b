package report

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
)

var summary = page.Template("summary", `
{{range .Problems}}<p class="warning">{{text .}}</p>
{{end}}{{with .Error}}<p class="error">The run {{$.State}}: {{text .}}</p>
{{end}}{{if .Verdict}}<p class="note">{{range .Verdict}}{{text .}} {{end}}</p>
{{end}}{{template "facts" .Facts}}
{{with .Parents}}<p>It comes from:</p>
<ul>{{range .}}<li><code>{{text .Key}}</code>: {{if .URL}}<a href="{{.URL}}">{{text .Path}}</a>{{else}}{{text .Path}}{{end}}</li>
{{end}}</ul>{{end}}`)

// parts are all parts of the page about r. linkTo gives the address of another run.
func (r *Run) parts(linkTo func(dir string) string) ([]part, error) {
	list := make([]part, 1, 6)
	var err error
	if list[0].Body, err = page.Execute(summary, r.summary(linkTo)); err != nil {
		return nil, err
	}
	list[0].ID = "summary"
	for _, make := range []func() (part, error){r.curves, r.epochs} {
		p, err := make()
		if err != nil {
			return nil, err
		}
		if p.Body != "" {
			list = append(list, p)
		}
	}
	list = append(list, r.looked...)
	if r.Config != nil {
		p, err := r.configuration()
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// summaryContent is what the summary shows.
type summaryContent struct {
	Problems, Verdict []string
	State             run.State
	Error             string // why the run failed or diverged
	Facts             []page.Fact
	Parents           []linkedParent
}

type linkedParent struct {
	Parent
	URL string
}

func (r *Run) summary(linkTo func(dir string) string) summaryContent {
	c := summaryContent{Problems: r.Problems, Verdict: r.verdict(), State: r.state(), Facts: r.facts()}
	if r.Status != nil {
		c.Error = r.Status.Error
	}
	for _, p := range r.Parents {
		l := linkedParent{Parent: p}
		if p.Dir != "" {
			l.URL = linkTo(p.Dir)
		}
		c.Parents = append(c.Parents, l)
	}
	return c
}

// verdict is what the method says of what a finished run reached.
func (r *Run) verdict() []string {
	if r.Method == nil || r.Method.Verdict == nil || r.state() != run.StateFinished {
		return nil
	}
	o := method.Outcome{Config: r.Config, Train: r.last(run.KindEpoch).Values, Val: r.last(run.KindVal).Values}
	if o.Train == nil {
		return nil
	}
	return r.Method.Verdict(o)
}

// last is the last record of a kind.
func (r *Run) last(kind string) (last run.Record) {
	for _, rec := range r.Records {
		if rec.Kind == kind {
			last = rec
		}
	}
	return last
}

func (r *Run) lastStep() int {
	if r.Status != nil {
		return r.Status.Step
	}
	if len(r.Records) > 0 {
		return r.Records[len(r.Records)-1].Step
	}
	return 0
}

// result is the figure by which runs of the method are compared.
func (r *Run) result() string {
	if r.Method == nil {
		return ""
	}
	v, ok := r.last(run.KindVal).Values[r.Method.Main]
	for _, m := range r.Method.AllMetrics() {
		if m.Key == r.Method.Main && ok {
			return m.Label + " " + figure.Number(v)
		}
	}
	return ""
}

// duration is the time from the beginning to the last sign of the run. A run that was resumed had pauses, which count.
func (r *Run) duration() time.Duration {
	var first, last time.Time
	for _, rec := range r.Records {
		if !rec.Time.IsZero() {
			if first.IsZero() {
				first = rec.Time
			}
			last = rec.Time
		}
	}
	if s := r.Status; s != nil {
		if !s.Began.IsZero() && (first.IsZero() || s.Began.Before(first)) {
			first = s.Began
		}
		if s.Updated.After(last) {
			last = s.Updated
		}
	}
	if first.IsZero() {
		return 0
	}
	return last.Sub(first)
}

// clock writes a duration; nothing where it is not known.
func clock(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return figure.Duration(d)
}

// millions writes a number of parameters.
func millions(n int) string {
	if n < 1e6 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%.3g million", float64(n)/1e6)
}

// facts are what there is to say about a run in few words.
func (r *Run) facts() (list []page.Fact) {
	add := func(name, value string) {
		if value != "" {
			list = append(list, page.Fact{Name: name, Value: value})
		}
	}
	if r.Method != nil {
		add("trains", r.Method.Title)
		add("preset", r.Config.Preset)
		add("images", r.Config.Data.Path.String())
	}
	add("state", string(r.state()))
	if s := r.Status; s != nil {
		add("steps", fmt.Sprintf("%d of %d", s.Step, s.Total))
		add("epoch", fmt.Sprintf("%d of %d", s.Epoch, s.Epochs))
		if !s.Began.IsZero() {
			add("began", s.Began.Local().Format("2006-01-02 15:04 MST"))
		}
	}
	add("duration, pauses included", clock(r.duration()))
	add("result", r.result())
	if r.Method != nil && r.Method.Cost != nil {
		add("parameters", millions(r.Method.Cost(r.Config).Parameters))
	}
	epoch := r.last(run.KindEpoch).Values
	for _, m := range method.LoopMetrics() {
		if v, ok := epoch[m.Key]; ok && (m.Key == method.KeySpeed || m.Key == method.KeyMemory) {
			add(heading(m)+", last epoch", fmt.Sprintf("%.4g", v))
		}
	}
	if r.Config != nil {
		add("precision", r.Config.Precision)
		add("seed", strconv.FormatUint(r.Config.Seed, 10))
	}
	if s := r.Status; s != nil {
		add("device", s.Device)
		if s.Threads > 0 {
			add("threads", strconv.Itoa(s.Threads))
		}
		add("machine", s.Host)
		add("version", s.Version)
	}
	add("folder", r.Dir)
	return list
}
