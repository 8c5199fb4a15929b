package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state"
)

// panels say which values of the metrics are drawn together, top to bottom. Those that no record has are left out.
var panels = []struct {
	title    string
	fromZero bool // the axis of values begins at 0
	keys     []string
}{
	{"cross-entropy of classes (nat), in training with smoothed and mixed labels", true, []string{"class_loss", "ema_class_loss"}},
	{"share of pictures that are right", true, []string{"accuracy", "top1", "top5", "ema_top1"}},
	{"reconstruction and commitment loss", true, []string{"rec_loss", "quant_loss"}},
	{"cross-entropy with the teacher, entropy of its outputs, entropy of their mean (nat)", true, []string{"cross_entropy", "teacher_entropy", "mean_entropy"}},
	{"loss of each head (codes: cross-entropy in nat; features: 1 - cosine)", false, []string{"loss_1", "loss_2", "loss_swap", "unigram_entropy"}},
	{"accuracy on masked patches", true, []string{"mlm_acc_1", "mlm_acc_2", "copy_acc"}},
	{"codes", true, []string{"codes_used", "perplexity"}},
	{"gradient norm", true, []string{"grad_norm"}},
}

// Size of a panel.
const (
	panelWidth  = 10 * vg.Inch
	panelHeight = 2.6 * vg.Inch
	legendWidth = 2.5 * vg.Inch
	gap         = 0.12 * vg.Inch
)

// Curves draws the values of a run's records over its updates, as a PNG picture: what was measured in training as a line, what was
// measured on validation pictures as a dashed line with dots.
func Curves(name string, records []train.Record) error {
	picture, err := drawing(records)
	if err != nil {
		return err
	}
	return state.WriteFileAtomic(name, func(w io.Writer) error {
		_, err := picture.WriteTo(w)
		return err
	})
}

// drawing draws all panels that records have figures for.
func drawing(records []train.Record) (vgimg.PngCanvas, error) {
	var plots [][]*plot.Plot
	var legends []plot.Legend
	for _, p := range panels {
		drawn, legend, err := panel(p.title, p.keys, records)
		if err != nil {
			return vgimg.PngCanvas{}, fmt.Errorf("curves: %w", err)
		}
		if drawn != nil {
			if p.fromZero {
				drawn.Y.Min = 0
			}
			plots, legends = append(plots, []*plot.Plot{drawn}), append(legends, legend)
		}
	}
	if len(plots) == 0 {
		return vgimg.PngCanvas{}, errors.New("curves: the metrics hold no figure to draw yet")
	}
	plots[len(plots)-1][0].X.Label.Text = "updates"
	picture := vgimg.New(panelWidth, panelHeight*vg.Length(len(plots)))
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap + legendWidth, PadY: gap}
	for i, canvas := range plot.Align(plots, tiles, draw.New(picture)) {
		plots[i][0].Draw(canvas[0])
		beside := canvas[0]
		beside.Min.X, beside.Max.X = beside.Max.X+gap, beside.Max.X+legendWidth
		beside.Max.Y -= 2 * gap // below the height of the title
		legends[i].Draw(beside)
	}
	return vgimg.PngCanvas{Canvas: picture}, nil
}

// panel draws some values over each other; its plot is nil when no record has them.
func panel(title string, keys []string, records []train.Record) (*plot.Plot, plot.Legend, error) {
	p, legend := plot.New(), plot.NewLegend()
	p.Title.Text = title
	p.X.Min = 0
	p.Add(plotter.NewGrid())
	legend.Top, legend.Left, legend.YPosition = true, true, draw.PosCenter
	legend.Padding = vg.Points(3)
	empty := true
	for i, key := range keys {
		style := draw.LineStyle{Color: plotutil.Color(i), Width: vg.Points(1.2)}
		label := strings.ReplaceAll(key, "_", " ")
		if during := points(records, key, false); len(during) > 0 {
			line, err := plotter.NewLine(during)
			if err != nil {
				return nil, legend, err
			}
			line.LineStyle = style
			p.Add(line)
			legend.Add(label, line)
			empty = false
		}
		if val := points(records, key, true); len(val) > 0 {
			line, dots, err := plotter.NewLinePoints(val)
			if err != nil {
				return nil, legend, err
			}
			style.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
			line.LineStyle = style
			dots.GlyphStyle = draw.GlyphStyle{Color: style.Color, Radius: vg.Points(2.2), Shape: draw.CircleGlyph{}}
			p.Add(line, dots)
			legend.Add(label+", validation", line, dots)
			empty = false
		}
	}
	if empty {
		return nil, legend, nil
	}
	return p, legend, nil
}

// points collects a value of training (step records, or epochs where no step has it) or of validation.
func points(records []train.Record, key string, val bool) plotter.XYs {
	collect := func(kind string) (xy plotter.XYs) {
		for _, r := range records {
			if v, ok := r.Values[key]; ok && r.Kind == kind {
				xy = append(xy, plotter.XY{X: float64(r.Step), Y: v})
			}
		}
		return xy
	}
	if val {
		return collect(train.KindVal)
	}
	if steps := collect(train.KindStep); len(steps) > 0 {
		return steps
	}
	return collect(train.KindEpoch)
}
