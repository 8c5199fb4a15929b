package report

import (
	"slices"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
)

var curvesBody = page.Template("curves", `{{template "charts" .}}`)

// curves are charts of the metrics that panels have, then of the others, each by itself.
func (r *Run) curves() (part, error) {
	metrics := method.LoopMetrics()
	if r.Method != nil {
		metrics = r.Method.AllMetrics()
	}
	x := r.axes()
	group := page.Charts{Axes: x.names}
	for _, p := range panelsOf(metrics) {
		group.Charts = appendChart(group.Charts, page.Chart{Title: p.Title, FromZero: p.FromZero}, r.Records, p.metrics, x)
	}
	for _, m := range metrics {
		if m.Panel == (method.Panel{}) && m.Key != method.KeyFLOPs { // which only grow
			group.Charts = appendChart(group.Charts, page.Chart{Title: m.Label, Unit: m.Unit}, r.Records, []method.Metric{m}, x)
		}
	}
	if len(group.Charts) == 0 {
		return part{}, nil
	}
	body, err := page.Execute(curvesBody, group)
	return part{"curves", "Curves", body}, err
}

// axes are the horizontal axes of the curves, and where a record stands on them.
type axes struct {
	names []string
	place func(rec run.Record) []float64
}

// axes of a run: steps, epochs in parts, and, where records have a time, the time since the first of them.
func (r *Run) axes() axes {
	perEpoch := 0.0
	if s := r.Status; s != nil && s.Epochs > 0 {
		perEpoch = float64(s.Total) / float64(s.Epochs)
	}
	if last := r.last(run.KindEpoch); perEpoch == 0 && last.Epoch > 0 {
		perEpoch = float64(last.Step) / float64(last.Epoch)
	}
	a := axes{names: []string{"step", "epoch"}}
	timed := len(r.Records) > 0 && !slices.ContainsFunc(r.Records, func(rec run.Record) bool { return rec.Time.IsZero() })
	unit := time.Hour
	if timed {
		name := "hours"
		if d := r.duration(); d < 3*time.Minute {
			unit, name = time.Second, "seconds"
		} else if d < 3*time.Hour {
			unit, name = time.Minute, "minutes"
		}
		a.names = append(a.names, "time in "+name)
	}
	a.place = func(rec run.Record) []float64 {
		epoch := float64(rec.Epoch)
		if perEpoch > 0 {
			epoch = float64(rec.Step) / perEpoch
		}
		if !timed {
			return []float64{float64(rec.Step), epoch}
		}
		return []float64{float64(rec.Step), epoch, float64(rec.Time.Sub(r.Records[0].Time)) / float64(unit)}
	}
	return a
}

// appendChart appends the chart with a series for each metric in training and each in validation, if there is any. Those of training come from the
// records of steps, or from those of epochs where they are more: a short run has hardly a step record.
func appendChart(list []page.Chart, c page.Chart, records []run.Record, metrics []method.Metric, x axes) []page.Chart {
	for _, m := range metrics {
		training := series(m.Label, records, m.Key, run.KindStep, x)
		if epochs := series(m.Label, records, m.Key, run.KindEpoch, x); len(epochs.Y) > len(training.Y) {
			training = epochs
		}
		validation := series(m.Label+", validation", records, m.Key, run.KindVal, x)
		validation.Dots = true
		for _, s := range []page.Series{training, validation} {
			if len(s.Y) > 0 {
				c.Series = append(c.Series, s)
			}
		}
	}
	if len(c.Series) == 0 {
		return list
	}
	return append(list, c)
}

// series are the values of a metric in the records of a kind.
func series(name string, records []run.Record, key, kind string, x axes) page.Series {
	s := page.Series{Name: name, X: make([][]float64, len(x.names))}
	for _, rec := range records {
		v, ok := rec.Values[key]
		if !ok || rec.Kind != kind {
			continue
		}
		for a, at := range x.place(rec) {
			s.X[a] = append(s.X[a], at)
		}
		s.Y = append(s.Y, v)
	}
	return s
}
