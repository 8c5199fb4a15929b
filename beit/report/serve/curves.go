package serve

import (
	"math"
	"slices"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/report/page"
	"github.com/gobeit/gobeit/beit/run"
)

// maxPoints is how many points of a series are kept, however long the run is.
const maxPoints = 1000

// axes are the horizontal axes to choose from.
var axes = []string{"step", "epoch", "time in hours"}

// curves are the series of a run's metrics, of bounded size.
type curves struct {
	panels []method.Panel
	lines  []*line // in the order of the metrics
	first  time.Time
}

// line is a metric: its series by the kinds of records.
type line struct {
	panel  int
	metric method.Metric
	kinds  map[string]*series
}

// series are the values of a metric in records of one kind.
type series struct {
	count  int // of values that were added
	points []point
	drawn  bool   // in what charts returned last
	at     [2]int // there: the chart, and the series of the chart
}

// point is a value, and its places on the axes.
type point struct {
	x [3]float64
	y float64
}

// added is a point that belongs to what charts returned last: to a chart, and a series of it.
type added struct {
	at [2]int
	point
}

// newCurves has no points yet. A metric without a panel has one for itself, behind the others, but for the operations, which only grow. Values under
// keys of no metric take no room.
func newCurves(metrics []method.Metric) *curves {
	c := &curves{}
	var alone []method.Metric
	for _, m := range metrics {
		if m.Panel != (method.Panel{}) {
			c.addLine(m)
		} else if m.Key != method.KeyFLOPs {
			m.Panel.Title = m.Label
			if m.Unit != "" {
				m.Panel.Title += " (" + m.Unit + ")"
			}
			alone = append(alone, m)
		}
	}
	for _, m := range alone {
		c.addLine(m)
	}
	return c
}

// addLine adds the line of a metric in its panel.
func (c *curves) addLine(m method.Metric) {
	at := slices.Index(c.panels, m.Panel)
	if at < 0 {
		at, c.panels = len(c.panels), append(c.panels, m.Panel)
	}
	c.lines = append(c.lines, &line{at, m, map[string]*series{run.KindStep: {}, run.KindEpoch: {}, run.KindVal: {}}})
}

// training is the kind of records by which the line of training is drawn: a short run has hardly a step record.
func (l *line) training() string {
	if l.kinds[run.KindEpoch].count > l.kinds[run.KindStep].count {
		return run.KindEpoch
	}
	return run.KindStep
}

// add adds a record of a run that has status s, and returns what the charts gain. renewed says that they change otherwise: a series is new, or was
// thinned out. Values that are not finite are left out.
func (c *curves) add(r run.Record, s run.Status) (gained []added, renewed bool) {
	if c.first.IsZero() {
		c.first = r.Time
	}
	p := point{x: [3]float64{float64(r.Step), float64(r.Epoch), 0}}
	if s.Total > 0 {
		p.x[1] = float64(r.Step) / float64(s.Total) * float64(s.Epochs)
	}
	if !r.Time.IsZero() { // as in files of older versions
		p.x[2] = r.Time.Sub(c.first).Hours()
	}
	for _, l := range c.lines {
		to := l.kinds[r.Kind]
		v, ok := r.Values[l.metric.Key]
		if to == nil || !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		p.y = v
		thinned := to.add(p)
		draw := r.Kind == run.KindVal || r.Kind == l.training()
		switch {
		case draw && to.drawn && !thinned:
			gained = append(gained, added{to.at, p})
		case draw || to.drawn:
			renewed = true
		}
	}
	return gained, renewed
}

// add adds a point. When there are too many, half of them stay: see page.Thin.
func (s *series) add(p point) (thinned bool) {
	s.count++
	s.points = append(s.points, p)
	if len(s.points) < maxPoints {
		return false
	}
	y := make([]float64, len(s.points))
	for i, p := range s.points {
		y[i] = p.y
	}
	kept := s.points[:0]
	for _, i := range page.Thin(y, maxPoints/2) { // ascending, so kept stays behind what is read
		kept = append(kept, s.points[i])
	}
	s.points = kept
	return true
}

// charts are the charts of all panels. A panel without values has a chart without series.
func (c *curves) charts() []page.Chart {
	list := make([]page.Chart, len(c.panels))
	for i, p := range c.panels {
		list[i] = page.Chart{Title: p.Title, FromZero: p.FromZero}
	}
	for _, l := range c.lines {
		for _, s := range l.kinds {
			s.drawn = false
		}
		for _, kind := range []string{l.training(), run.KindVal} {
			s, chart, name := l.kinds[kind], &list[l.panel], l.metric.Label
			if len(s.points) == 0 {
				continue
			}
			if kind == run.KindVal {
				name += ", validation"
			}
			s.drawn, s.at = true, [2]int{l.panel, len(chart.Series)}
			chart.Series = append(chart.Series, s.page(name, kind == run.KindVal))
		}
	}
	return list
}

// page is the series as a page draws it.
func (s *series) page(name string, dots bool) page.Series {
	out := page.Series{Name: name, X: make([][]float64, len(axes)), Dots: dots}
	for _, p := range s.points {
		for a, x := range p.x {
			out.X[a] = append(out.X[a], x)
		}
		out.Y = append(out.Y, p.y)
	}
	return out
}
