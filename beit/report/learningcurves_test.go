package report

import (
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// syntheticRun returns the records of a run of 6 epochs with made-up metrics.
func syntheticRun() []run.Record {
	var list []run.Record
	for step := 20; step <= 600; step += 20 {
		x := float64(step)
		list = append(list, run.Record{Kind: run.KindStep, Epoch: 1 + step/101, Step: step, Values: map[string]float64{
			"loss": 0.2 + math.Exp(-x/150), "loss_reconstruction": 0.19 + math.Exp(-x/150), "codes_used": 512 - 100*math.Exp(-x/100),
			"perplexity": 400 - 200*math.Exp(-x/200), "grad_norm": 1 + math.Sin(x)/4,
		}})
		if step%100 == 0 {
			list = append(list, run.Record{Kind: run.KindVal, Epoch: step / 100, Step: step, Values: map[string]float64{
				"loss_reconstruction": 0.22 + math.Exp(-x/150), "codes_used": 500, "perplexity": 380,
			}})
		}
	}
	return list
}

func TestCurves(t *testing.T) {
	name := filepath.Join(t.TempDir(), "curves.png")
	if err := Curves(name, tokenizer.Method.AllMetrics(), syntheticRun()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	colours := map[[3]uint32]bool{}
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			r, g, b, _ := m.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	// Three panels: reconstruction, codes, gradient norm.
	if w, h := m.Bounds().Dx(), m.Bounds().Dy(); w < 800 || h < 700 || len(colours) < 20 {
		t.Errorf("an image of %d x %d with %d colours", w, h, len(colours))
	}
}

func TestPointsPreferSteps(t *testing.T) {
	list := []run.Record{
		{Kind: run.KindStep, Step: 10, Values: map[string]float64{"loss": 2}},
		{Kind: run.KindEpoch, Step: 10, Values: map[string]float64{"loss": 3, "used": 7}},
		{Kind: run.KindVal, Step: 10, Values: map[string]float64{"loss": 4}},
		{Kind: run.KindStep, Step: 11, Values: map[string]float64{"loss": math.NaN()}}, // not plotted
		{Kind: run.KindVal, Step: 11, Values: map[string]float64{"loss": math.Inf(1)}},
	}
	for _, c := range []struct {
		key  string
		val  bool
		want float64
	}{{"loss", false, 2}, {"used", false, 7}, {"loss", true, 4}} {
		if xy := points(list, c.key, c.val); len(xy) != 1 || xy[0].Y != c.want || xy[0].X != 10 {
			t.Errorf("points of %s, validation %v: %v, want one at (10, %g)", c.key, c.val, xy, c.want)
		}
	}
}

func TestCurvesErrors(t *testing.T) {
	dir := t.TempDir()
	err := Curves(filepath.Join(dir, "a.png"), tokenizer.Method.AllMetrics(), nil)
	if err == nil || !strings.Contains(err.Error(), "no metric") {
		t.Errorf("without records: %v", err)
	}
	if err := Curves(filepath.Join(dir, "missing", "a.png"), tokenizer.Method.AllMetrics(), syntheticRun()); err == nil {
		t.Error("a folder that does not exist: no error")
	}
}
