package experiment

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/train"
)

// stood is a comparison of tiny entries on synthetic images.
func stood(t *testing.T, out string, e *Entries) *Standing {
	t.Helper()
	s, err := CompareEntries(t.Context(), ownEnv(), Comparison{Data: "procedural:80", Out: out}, e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// finishedRun is the run that an entry left in a folder.
func finishedRun(t *testing.T, dir string) *train.Result {
	t.Helper()
	r, err := train.Finished(dir, model.Methods())
	if err != nil || r == nil {
		t.Fatalf("%s: %v, error %v", dir, r, err)
	}
	return r
}

// step is what one step of a finished run cost.
func (b budget) step(t *testing.T, r *train.Result) float64 {
	t.Helper()
	switch b.unit {
	case unitSteps:
		return 1
	case unitImages:
		return float64(r.Config.Train.Batch)
	}
	records, err := run.ReadMetrics(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var last run.Record
	for _, rec := range records { // of each kind the operations so far
		if work := rec.Values[method.KeyFLOPs]; work > 0 && last.Step > 0 && rec.Step > last.Step {
			return (work - last.Values[method.KeyFLOPs]) / float64(rec.Step-last.Step)
		} else if work > 0 {
			last = rec
		}
	}
	t.Fatalf("%s: no steps", r.Dir)
	return 0
}

// No entry takes more than the budget, and none leaves a step for each epoch of its runs; so all take the same but for that.
func TestEntryCosts(t *testing.T) {
	for _, cost := range []string{"flops = 6e8", "steps = 37", "images = 700"} {
		out := t.TempDir()
		e := tinyEntries(t, cost+"\nseeds = [3]", "", wholeChain)
		s := stood(t, out, e)
		b := e.budget()
		for i, row := range s.Rows {
			slack, sum := 0.0, 0.0
			for _, m := range e.List[i].methods() {
				r := finishedRun(t, filepath.Join(out, "runs", row.Entry.folder(), "seed-3", m.Name))
				c := r.Config
				if c.Seed != 3 || c.Data.Seed != 3 || c.Data.ValFromTrain {
					t.Errorf("%s: seed %d, of images %d", r.Dir, c.Seed, c.Data.Seed)
				}
				used, err := b.of(r)
				if err != nil {
					t.Fatal(err)
				}
				if share := row.Entry.Shares[m.Name]; share > 0 && used > share*b.amount {
					t.Errorf("%s, %s: %s took %g of %g", cost, row.Entry.Name, m.Name, used, share*b.amount)
				}
				sum += used
				slack = float64(c.Train.Epochs) * b.step(t, r) // of the last run, which gets what the others left
			}
			if row.Cost != sum || sum > b.amount || sum+slack <= b.amount || s.Budget != b.amount {
				t.Errorf("%s, %s: cost %g, of the runs %g, of %g, and a step for each epoch is %g", cost, row.Entry.Name, row.Cost, sum, b.amount, slack)
			}
		}
	}
	e := tinyEntries(t, "flops = 1e7\nseeds = [3]", "", wholeChain)
	if _, err := CompareEntries(t.Context(), ownEnv(), Comparison{Data: "procedural:80", Out: t.TempDir()}, e); err == nil || !strings.Contains(err.Error(), "pays for none: give all entries more flops") {
		t.Errorf("a budget below a step: error %v", err)
	}
}

// The figures are those of the runs: the share of the images that are right, the run's own validation, and the probes of beit compare's tables.
func TestEntryFigures(t *testing.T) {
	out := t.TempDir()
	s := stood(t, out, tinyEntries(t, "steps = 60\nseeds = [1, 2]", "", "init = \"tokenizer\"\n"+strings.Replace(wholeChain, "tokenizer = []", `tokenizer = ["tokenizer.model.encoder.depth=2"]`, 1)))
	for _, row := range s.Rows {
		for _, seed := range row.Seeds {
			r := finishedRun(t, filepath.Join(out, "runs", row.Entry.folder(), "seed-"+string('0'+rune(seed.Seed)), "finetune"))
			right := strings.Count(seed.Right, string(isRight))
			if len(seed.Right) != 16 || *seed.Top1 != float64(right)/16 || *seed.Top1 != r.Final.Values["top1"] {
				t.Errorf("%s: %s, top-1 %g, in the run %g", row.Entry.Name, seed.Right, *seed.Top1, r.Final.Values["top1"])
			}
			if probed := len(seed.Linear) == 3 && len(seed.KNN) == 3; probed != (row.Entry.Name == "BEiT v2") {
				t.Errorf("%s: probes %v, %v", row.Entry.Name, seed.Linear, seed.KNN)
			}
		}
		if mean := (*row.Seeds[0].Top1 + *row.Seeds[1].Top1) / 2; math.Abs(*row.Top1-mean) > 1e-12 || row.Spread == nil {
			t.Errorf("%s: mean %g, spread %v", row.Entry.Name, *row.Top1, row.Spread)
		}
	}
	if d := s.Rows[1].Difference; s.Rows[0].Difference != nil || d == nil || math.Abs(d.Mean-(*s.Rows[1].Top1-*s.Rows[0].Top1)) > 1e-12 {
		t.Errorf("difference %+v", d)
	}
	start := finishedRun(t, filepath.Join(out, "runs", "beit-v2", "seed-2", "pretrain")).Config
	if want := filepath.Join(out, "runs", "beit-v2", "seed-2", "tokenizer"); start.InitFrom != want {
		t.Errorf("pretraining starts from %s, want %s", start.InitFrom, want)
	}
	f, err := os.Open(filepath.Join(out, CorrectFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	want := []string{"image", "from scratch, seed 1", "from scratch, seed 2", "BEiT v2, seed 1", "BEiT v2, seed 2"}
	if err != nil || len(lines) != 17 || !slices.Equal(lines[0], want) || lines[16][2] != s.Rows[0].Seeds[1].Right[15:] {
		t.Errorf("%d lines of %s, error %v: %v", len(lines), CorrectFile, err, lines[0])
	}

	// A chain that ends early is measured by probes, and what was trained elsewhere is named.
	tok := filepath.Join(out, "runs", "beit-v2", "seed-1", "tokenizer")
	s = stood(t, t.TempDir(), tinyEntries(t, "steps = 10\nseeds = [1]", "", "tokenizer_run = \""+tok+"\"\npretrain = []\n"))
	if r := s.Rows[1]; r.Top1 != nil || r.Difference != nil || r.Linear["mean"] == nil || r.Cost != 10 || len(r.Seeds[0].Right) != 0 {
		t.Errorf("without fine-tuning: %+v", r)
	}
	if notes := s.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "builds on "+tok) {
		t.Errorf("notes %q", notes)
	}
}

// writeImages makes a folder with images in classes; damaged ones begin like images.
func writeImages(t *testing.T, dir string, n int, seed uint64, damaged bool) config.Paths {
	t.Helper()
	ds := data.Procedural(n, 16, seed)
	for i := range n {
		m, err := data.Decoded(ds, i)
		if err != nil {
			t.Fatal(err)
		}
		out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
		for p := range m.W * m.H {
			out.Set(p%m.W, p/m.W, color.RGBA{m.Pix[3*p], m.Pix[3*p+1], m.Pix[3*p+2], 255})
		}
		var buf bytes.Buffer
		if err := png.Encode(&buf, out); err != nil {
			t.Fatal(err)
		}
		if damaged {
			buf.Truncate(60)
		}
		class := filepath.Join(dir, ds.Classes()[i%2])
		if err := os.MkdirAll(class, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(class, string('a'+rune(i/26))+string('a'+rune(i%26))+".png"), buf.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return config.PathsOf(dir)
}

// A sweep chooses the same whatever the validation images are, and does not read them: damaged ones would end it. Runs that alternatives have in
// common are trained once.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	images := writeImages(t, filepath.Join(dir, "images"), 60, 1, false)
	e := tinyEntries(t, "steps = 24\nseeds = [1, 2]", "", wholeChain+`sweep = ["finetune:train.lr=1e-4", "finetune:train.lr=5e-2", "finetune:train.lr=1e30", "pretrain:train.lr=1e-4"]`)
	chosen := map[string]bool{}
	var figures []*measured
	for i, val := range []config.Paths{
		writeImages(t, filepath.Join(dir, "val"), 20, 2, false), writeImages(t, filepath.Join(dir, "damaged"), 8, 3, true),
	} {
		out := filepath.Join(dir, "out"+string('0'+rune(i)))
		l, err := newLineup(t.Context(), ownEnv(), &Comparison{Data: images, EvalData: val, Out: out}, e)
		if err != nil {
			t.Fatal(err)
		}
		done := &measured{Sweeps: map[string]*float64{}}
		if err := os.MkdirAll(out, 0o777); err != nil {
			t.Fatal(err)
		}
		best, err := l.choose(e.List[1], done)
		if err != nil {
			t.Fatal(err)
		}
		chosen[best] = true
		figures = append(figures, done)
		for folder, want := range map[string]string{"sweep-1": "finetune pretrain tokenizer", "sweep-2": "finetune", "sweep-3": "finetune", "sweep-4": "finetune pretrain"} {
			var names []string
			list, err := os.ReadDir(filepath.Join(out, "runs", "beit-v2", folder))
			for _, f := range list {
				names = append(names, f.Name())
			}
			if got := strings.Join(names, " "); err != nil || got != want {
				t.Errorf("%s has %s, want %s, error %v", folder, got, want, err)
			}
		}
		c := finishedRun(t, filepath.Join(out, "runs", "beit-v2", "sweep-4", "finetune")).Config
		if !c.Data.ValFromTrain || c.Data.ValFraction != sweptFraction || c.Seed != 1 || c.InitFrom != filepath.Join(out, "runs", "beit-v2", "sweep-4", "pretrain") {
			t.Errorf("a run of the sweep has %+v and starts from %s", c.Data, c.InitFrom)
		}
	}
	if d := cmp.Diff(figures[0], figures[1]); d != "" || len(chosen) != 1 || len(figures[0].Sweeps) != 4 {
		t.Errorf("chosen are %v; figures with other validation images:\n%s", chosen, d)
	}
	if top1, known := figures[0].Sweeps[sweepKey(e.List[1], "finetune:train.lr=1e30")]; !known || top1 != nil || chosen["finetune:train.lr=1e30"] {
		t.Errorf("an alternative that diverges has %v, chosen %v", top1, chosen)
	}
	if _, err := newLineup(t.Context(), ownEnv(), &Comparison{Data: images, ValFraction: 0.2}, e); err == nil || !strings.Contains(err.Error(), "--eval-data") {
		t.Errorf("validation images that are training images too: error %v", err)
	}
}

// stopper cancels the n-th time that it hears of a step or of a batch.
type stopper struct {
	train.Silent
	left   int
	cancel context.CancelFunc
}

func (s *stopper) Progress(method.Progress) {
	if s.left--; s.left == 0 {
		s.cancel()
	}
}

// interrupted carries out f, which is interrupted when first steps or batches were told of, then after more of them each time, and begun again until it
// ends. between, where it is not nil, is called each time.
func interrupted[T any](t *testing.T, first, more int, f func(ctx context.Context, e Env) (T, error), between func()) T {
	t.Helper()
	for stops := range 60 {
		ctx, cancel := context.WithCancel(t.Context())
		env := ownEnv()
		env.Reporter = &stopper{left: first + more*stops, cancel: cancel}
		got, err := f(ctx, env)
		cancel()
		if between != nil {
			between()
		}
		if err == nil {
			if stops < 3 {
				t.Errorf("interrupted %d times: the test says nothing", stops)
			}
			return got
		}
		if !errors.Is(err, train.ErrInterrupted) && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	t.Fatal("the comparison never ends")
	panic("unreachable")
}

// sameFiles wants files of two folders to be the same.
func sameFiles(t *testing.T, whole, parts string, names ...string) {
	t.Helper()
	for _, name := range names {
		a, errA := os.ReadFile(filepath.Join(whole, name))
		b, errB := os.ReadFile(filepath.Join(parts, name))
		if errA != nil || errB != nil || len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s differs, errors %v and %v", name, errA, errB)
		}
	}
}

// A comparison that was interrupted again and again ends with the same files as one that was not.
func TestEntriesResume(t *testing.T) {
	e := tinyEntries(t, "flops = 3e8\nseeds = [1, 2]", `sweep = ["train.lr=1e-3", "finetune:train.lr=1e-2"]`, wholeChain)
	whole, parts := t.TempDir(), t.TempDir()
	want := stood(t, whole, e)
	got := interrupted(t, 30, 15, func(ctx context.Context, env Env) (*Standing, error) {
		return CompareEntries(ctx, env, Comparison{Data: "procedural:80", Out: parts}, e)
	}, nil)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("whole (-), interrupted (+):\n%s", d)
	}
	sameFiles(t, whole, parts, MarkdownFile, CSVFile, CorrectFile, PageFile, measuredFile)

	// What is measured stays, and settings may only be added to.
	more := *e
	third := e.List[0]
	third.Name, third.Sweep = "third", nil
	more.List = append(slices.Clone(e.List), third)
	if s := stood(t, parts, &more); len(s.Rows) != 3 || cmp.Diff(want.Rows, s.Rows[:2]) != "" || s.Rows[2].Difference == nil {
		t.Errorf("with a third entry: %+v", s)
	}
	fewer := *e
	fewer.List = e.List[1:]
	if s := stood(t, parts, &fewer); len(s.Rows) != 1 || s.Rows[0].Difference != nil {
		t.Errorf("with one entry: %+v", s)
	}
	refused := func(change func(e *Entries), c Comparison, want string) {
		t.Helper()
		other := *e
		other.List = slices.Clone(e.List)
		change(&other)
		var wrong SettingError
		c.Out = parts
		if _, err := CompareEntries(t.Context(), ownEnv(), c, &other); !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	same, cost := Comparison{Data: "procedural:80"}, 1e9
	refused(func(e *Entries) { e.List[1].Shares = map[string]float64{"tokenizer": 0.1, "pretrain": 0.3} }, same, `leave entry "BEiT v2" as it was`)
	refused(func(e *Entries) { e.FLOPs = &cost }, same, "other settings")
	refused(func(e *Entries) { e.Seeds = []int64{1} }, same, "other settings")
	refused(func(*Entries) {}, Comparison{Data: "procedural:81"}, "other settings")
	refused(func(*Entries) {}, Comparison{Data: "procedural:80", Set: []string{"train.batch=8"}}, "other settings")
	if _, err := Compare(t.Context(), ownEnv(), Comparison{Data: "procedural:80", Out: parts, Preset: "small32", Tables: []string{"network"}}); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("tables in the folder of entries: error %v", err)
	}
}

// Figures that were damaged are refused, not believed and not a panic.
func TestMeasuredDamaged(t *testing.T) {
	e := tinyEntries(t, "steps = 6\nseeds = [1]", "", "finetune = [\"finetune.model.image_size=16\", \"finetune.model.width=24\"]")
	out := t.TempDir()
	stood(t, out, e)
	name := filepath.Join(out, measuredFile)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "null", "[]", `{"chains": null}`, `{"chains": {}, "sweeps": null}`, strings.Replace(string(whole), `"right": "`, `"right": "1`, 1),
		strings.Replace(string(whole), `"right"`, `"left"`, 1), strings.Replace(string(whole), `"top1": 0`, `"top1": null, "x": 0`, 1),
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := CompareEntries(t.Context(), ownEnv(), Comparison{Data: "procedural:80", Out: out}, e)
		if known := text == "null"; (err == nil) != known || err != nil && !strings.Contains(err.Error(), measuredFile) {
			t.Errorf("%.60q: error %v", text, err)
		}
	}
	tables := t.TempDir()
	if err := os.WriteFile(filepath.Join(tables, rowsFile), []byte("null"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readDone[Row](filepath.Join(tables, rowsFile)); err == nil || !strings.Contains(err.Error(), rowsFile) {
		t.Errorf("rows of tables: error %v", err)
	}
}
