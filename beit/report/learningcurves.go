package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// panel is a plot of several metrics.
type panel struct {
	method.Panel
	metrics []method.Metric
}

// panelsOf groups metrics by their panels, in the order of the metrics.
func panelsOf(metrics []method.Metric) (list []panel) {
	for _, m := range metrics {
		i := slices.IndexFunc(list, func(p panel) bool { return p.Panel == m.Panel })
		switch {
		case m.Panel == (method.Panel{}):
		case i < 0:
			list = append(list, panel{m.Panel, []method.Metric{m}})
		default:
			list[i].metrics = append(list[i].metrics, m)
		}
	}
	return list
}

// Sizes of a panel.
const (
	panelWidth  = 10 * vg.Inch
	panelHeight = 2.6 * vg.Inch
	legendWidth = 3.3 * vg.Inch
	gap         = 0.12 * vg.Inch
)

// Curves plots the metrics of a run over its steps, as a PNG file. Training metrics are solid lines, validation metrics dashed lines with
// dots.
func Curves(name string, metrics []method.Metric, records []run.Record) error {
	curves, err := drawCurves(metrics, records)
	if err != nil {
		return err
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error {
		_, err := curves.WriteTo(w)
		return err
	})
}

// drawCurves plots all panels that have values in the records.
func drawCurves(metrics []method.Metric, records []run.Record) (vgimg.PngCanvas, error) {
	var plots [][]*plot.Plot
	var legends []plot.Legend
	last := 0 // step: the same place in all panels
	for _, r := range records {
		last = max(last, r.Step)
	}
	for _, p := range panelsOf(metrics) {
		drawn, legend, err := p.draw(records)
		if err != nil {
			return vgimg.PngCanvas{}, fmt.Errorf("curves: %w", err)
		}
		if drawn != nil {
			if p.FromZero {
				drawn.Y.Min = 0
			}
			drawn.X.Max = float64(last)
			plots, legends = append(plots, []*plot.Plot{drawn}), append(legends, legend)
		}
	}
	if len(plots) == 0 {
		return vgimg.PngCanvas{}, errors.New("curves: the records have no metric to plot yet")
	}
	plots[len(plots)-1][0].X.Label.Text = "steps"
	canvas := vgimg.New(panelWidth, panelHeight*vg.Length(len(plots)))
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap + legendWidth, PadY: gap}
	for i, tile := range plot.Align(plots, tiles, draw.New(canvas)) {
		plots[i][0].Draw(tile[0])
		beside := tile[0]
		beside.Min.X, beside.Max.X = beside.Max.X+gap, beside.Max.X+legendWidth
		beside.Max.Y -= 2 * gap // below the height of the title
		legends[i].Draw(beside)
	}
	return vgimg.PngCanvas{Canvas: canvas}, nil
}

// draw plots the metrics of a panel into one plot, which is nil if no record has them.
func (from panel) draw(records []run.Record) (*plot.Plot, plot.Legend, error) {
	p, legend := plot.New(), plot.NewLegend()
	p.Title.Text = from.Title
	p.X.Min = 0
	p.Add(plotter.NewGrid())
	legend.Top, legend.Left, legend.YPosition = true, true, draw.PosCenter
	legend.Padding = vg.Points(3)
	empty := true
	for i, m := range from.metrics {
		style := draw.LineStyle{Color: plotutil.Color(i), Width: vg.Points(1.2)}
		if during := points(records, m.Key, false); len(during) > 0 {
			line, dots, err := plotter.NewLinePoints(during)
			if err != nil {
				return nil, legend, err
			}
			line.LineStyle = style
			p.Add(line)
			if len(during) == 1 { // of which no line can be seen
				dots.GlyphStyle = draw.GlyphStyle{Color: style.Color, Radius: vg.Points(2.2), Shape: draw.CircleGlyph{}}
				p.Add(dots)
			}
			legend.Add(m.Label, line)
			empty = false
		}
		if val := points(records, m.Key, true); len(val) > 0 {
			line, dots, err := plotter.NewLinePoints(val)
			if err != nil {
				return nil, legend, err
			}
			style.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
			line.LineStyle = style
			dots.GlyphStyle = draw.GlyphStyle{Color: style.Color, Radius: vg.Points(2.2), Shape: draw.CircleGlyph{}}
			p.Add(line, dots)
			legend.Add(m.Label+", validation", line, dots)
			empty = false
		}
	}
	if empty {
		return nil, legend, nil
	}
	return p, legend, nil
}

// points returns the values of a training or validation metric. Training metrics come from step records, or from epoch records if these are
// more. Values that are not finite are left out.
func points(records []run.Record, key string, val bool) plotter.XYs {
	collect := func(kind string) (xy plotter.XYs) {
		for _, r := range records {
			if v, ok := r.Values[key]; ok && r.Kind == kind && !math.IsNaN(v) && !math.IsInf(v, 0) {
				xy = append(xy, plotter.XY{X: float64(r.Step), Y: v})
			}
		}
		return xy
	}
	if val {
		return collect(run.KindVal)
	}
	steps, epochs := collect(run.KindStep), collect(run.KindEpoch)
	if len(epochs) > len(steps) { // a short run has hardly a step record
		return epochs
	}
	return steps
}
