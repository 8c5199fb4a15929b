package experiment_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/run"
)

// TestQuickstart does it with a handful of images, and a second time with what is there then.
func TestQuickstart(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	defer experiment.ShrinkQuickstart()()
	dir := filepath.Join(t.TempDir(), "quick")
	q, err := experiment.Quickstart(t.Context(), experiment.Env{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if q.Images != 320 || q.Labels != 80 || q.Unseen != 64 || q.Classes != 10 || q.Chance() != 0.1 {
		t.Errorf("%+v", q)
	}
	var rows []string
	for _, r := range q.Ways.Rows {
		rows = append(rows, r.Entry.Name)
		if r.Cost > q.Ways.Budget || r.Cost < 0.8*q.Ways.Budget {
			t.Errorf("%s takes %g operations of %g", r.Entry.Name, r.Cost, q.Ways.Budget)
		}
	}
	for _, b := range q.Baselines {
		rows = append(rows, b.Network+" "+string(b.Pool))
	}
	want := "from scratch, pretrained, pretrained mean, pretrained grid, untrained mean, untrained grid, pixels mean, pixels grid, teacher hog mean, teacher hog grid"
	if got := strings.Join(rows, ", "); got != want {
		t.Errorf("measured %s; want %s", got, want)
	}
	if q.Validation["tokenizer"]["codes_used"] < 1 || q.Validation["pretrain"]["loss_mim"] <= 0 {
		t.Errorf("validation %v", q.Validation)
	}
	for _, folder := range q.Folders {
		if _, err := os.Stat(filepath.Join(folder, run.ReportFile)); err != nil {
			t.Error(err)
		}
	}

	var heard warnings
	again, err := experiment.Quickstart(t.Context(), experiment.Env{Reporter: &heard}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(heard.list) > 0 {
		t.Errorf("warned of %q", heard.list)
	}
	var before, text bytes.Buffer
	if err := q.Print(&before); err != nil {
		t.Fatal(err)
	}
	if err := again.Print(&text); err != nil || before.String() != text.String() {
		t.Errorf("the second time shows other figures:\n%s\nbefore\n%s", text.String(), before.String())
	}
	for _, want := range []string{"codes used", "MIM loss", "80 labels of 320 images", "network, pretrained", "teacher hog grid", "chance", "10.0 %", "At equal cost", "Next: ", dir} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
}

// TestVerdict: what is said follows from the interval and from the best baseline.
func TestVerdict(t *testing.T) {
	accuracy := func(x float64) *float64 { return &x }
	quick := func(d experiment.Difference, pretrained, pixels float64) string {
		q := experiment.Quick{Ways: &experiment.Standing{Rows: []experiment.EntryRow{{Top1: accuracy(0.3)}, {Top1: accuracy(pretrained), Difference: &d}}}}
		q.Baselines = []experiment.QuickProbe{{"pretrained", probe.PoolGrid, 0.9}, {"teacher hog", probe.PoolGrid, 0.2}, {"pixels", probe.PoolGrid, pixels}}
		return q.Verdict()
	}
	for _, c := range []struct {
		got  string
		want []string
	}{
		{quick(experiment.Difference{Mean: 0.1, Low: 0.05, High: 0.15, Verdict: experiment.Better}, 0.4, 0.25),
			[]string{"+10.0 points", "+5.0 … +15.0", "over training from scratch", "is above the best", "pixels with 25.0 %"}},
		{quick(experiment.Difference{Mean: -0.1, Low: -0.15, High: -0.05, Verdict: experiment.Worse}, 0.2, 0.25),
			[]string{"-10.0 points", "-15.0 … -5.0", "is not above"}},
		{quick(experiment.Difference{Mean: 0.01, Low: -0.02, High: 0.04, Verdict: experiment.NotResolved}, 0.31, 0.25),
			[]string{"not told apart: 31.0 % and 30.0 %"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.got, want) {
				t.Errorf("the verdict lacks %q: %s", want, c.got)
			}
		}
	}
}

// warnings is a reporter that keeps what it is warned of.
type warnings struct {
	method.Silent
	list []string
}

func (w *warnings) Record(run.Record)   {}
func (w *warnings) Epoch(method.Epoch)  {}
func (w *warnings) Warning(text string) { w.list = append(w.list, text) }
