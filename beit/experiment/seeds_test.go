package experiment

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tinyComparison is a comparison of tiny networks on synthetic images: one codebook size, no aggregation.
func tinyComparison(out string, c Comparison) Comparison {
	c.Data, c.Preset, c.Out, c.Set = "procedural:80", "small32", out, append(slices.Clone(tiny), c.Set...)
	c.Codes, c.Heads = []int{8}, []int{0}
	return c
}

// rowsOf makes the tables of a comparison.
func rowsOf(t *testing.T, c Comparison) []Row {
	t.Helper()
	rows, err := Compare(t.Context(), ownEnv(), c)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// files reads files of a folder.
func files(t *testing.T, dir string, names ...string) (texts []string) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// runsOf are the names of the runs of a comparison.
func runsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, "runs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		names = append(names, f.Name())
	}
	return names
}

// timeless are rows without what a clock decides.
func timeless(rows []Row) []Row {
	rows = slices.Clone(rows)
	for i := range rows {
		r := &rows[i]
		r.Seconds, r.Seeds = nil, slices.Clone(r.Seeds)
		if r.SD != nil {
			sd := *r.SD
			r.SD, sd.Seconds = &sd, nil
		}
		for k := range r.Seeds {
			r.Seeds[k].Seconds = nil
		}
	}
	return rows
}

// The figures of a row are the means over its seeds, which differ in everything but the images. A comparison that was begun with one seed goes on
// with more, and with one again.
func TestSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	out := t.TempDir()
	c := tinyComparison(out, Comparison{Tables: []string{"codes", "aggregation"}})
	alone := rowsOf(t, c)
	before := files(t, out, settingsFile, MarkdownFile, CSVFile)
	c.Seeds = []int64{1, 4}
	rows := rowsOf(t, c)
	want := []string{"backbone-depth-0", "backbone-depth-0-seed-4", "tokenizer", "tokenizer-seed-4"}
	if d := cmp.Diff(want, runsOf(t, out)); d != "" {
		t.Error(d)
	}
	for i, r := range rows {
		if len(r.Seeds) != 2 || r.Seeds[0].Seed != 1 || r.Seeds[1].Seed != 4 || r.SD == nil {
			t.Fatalf("%+v", r)
		}
		if d := cmp.Diff(alone[i].Figures, r.Seeds[0].Figures); d != "" {
			t.Errorf("seed 1, among others and alone: %s", d)
		}
		if r.Finetuned != nil || r.SD.Finetuned != nil {
			t.Errorf("fine-tuned: %+v", r)
		}
		differ := 0
		for _, c := range columns {
			if c.name == "finetuned" {
				continue
			}
			a, b := **c.of(&r.Seeds[0].Figures), **c.of(&r.Seeds[1].Figures)
			if a != b {
				differ++
			}
			got, spread := **c.of(&r.Figures), **c.of(r.SD)
			if mean, sd := (a+b)/2, math.Abs(a-b)/math.Sqrt2; math.Abs(got-mean) > 1e-12 || math.Abs(spread-sd) > 1e-12 {
				t.Errorf("%s of %g and %g: %g ± %g, want %g ± %g", c.name, a, b, got, spread, mean, sd)
			}
		}
		if differ < 4 { // beside what a clock decides
			t.Errorf("%d figures differ between the seeds: the test says nothing", differ)
		}
	}
	for _, name := range []string{"tokenizer-seed-4", "backbone-depth-0-seed-4"} {
		if cfg := finishedRun(t, filepath.Join(out, "runs", name)).Config; cfg.Seed != 4 || cfg.ImageSeed() != 1 {
			t.Errorf("%s: seed %d, of images %d", name, cfg.Seed, cfg.ImageSeed())
		}
	}
	if got := files(t, out, settingsFile); got[0] != before[0] {
		t.Errorf("%s has %s", settingsFile, got[0])
	}

	// Without the notes of what is measured, the finished runs give the same tables.
	tables := files(t, out, MarkdownFile, CSVFile)
	if err := os.Remove(filepath.Join(out, rowsFile)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, rowsOf(t, c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(tables, files(t, out, MarkdownFile, CSVFile)); d != "" {
		t.Error(d)
	}
	c.Seeds = nil
	rowsOf(t, c)
	if d := cmp.Diff(before, files(t, out, settingsFile, MarkdownFile, CSVFile)); d != "" {
		t.Error(d)
	}

	// Where the images of all seeds are chosen, they are those.
	own := tinyComparison(t.TempDir(), Comparison{Tables: []string{"alive"}, Seeds: []int64{2}, Set: []string{"data.seed=7"}})
	p, err := newPlan(t.Context(), ownEnv(), &own)
	if err != nil {
		t.Fatal(err)
	}
	one := p.trials[0]
	one.seed = []string{"seed=2"}
	if cfg, err := configure(compared[0], "small32", p.settings(one, compared[0])); err != nil || cfg.Seed != 2 || cfg.ImageSeed() != 7 {
		t.Errorf("data.seed=7: seed %d, of images %d, error %v", cfg.Seed, cfg.ImageSeed(), err)
	}
}

// The figures of a further seed, initial weights and probes included, are those of a comparison that has it for its own and the same images.
func TestSeedsAlone(t *testing.T) {
	among := timeless(rowsOf(t, tinyComparison(t.TempDir(), Comparison{Tables: []string{"network"}, Seeds: []int64{6}})))
	alone := timeless(rowsOf(t, tinyComparison(t.TempDir(), Comparison{Tables: []string{"network"}, Set: []string{"seed=6", "data.seed=1"}})))
	for i, r := range among {
		if d := cmp.Diff(alone[i].Figures, r.Seeds[0].Figures); d != "" || r.SD != nil {
			t.Errorf("%s: alone (-), as a further seed (+), deviation %v:\n%s", r.Setting, r.SD, d)
		}
	}
}

// A comparison that was interrupted again and again, between the seeds of a row too, ends with the same tables as one that was not.
func TestSeedsResume(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	whole := tinyComparison(t.TempDir(), Comparison{Tables: []string{"codes"}, Seeds: []int64{2, 1}})
	want := timeless(rowsOf(t, whole))
	parts := whole
	parts.Out = t.TempDir()
	halves := 0
	got := interrupted(t, 6, 3, func(ctx context.Context, env Env) ([]Row, error) { return Compare(ctx, env, parts) }, func() {
		done, err := readDone[Row](filepath.Join(parts.Out, rowsFile))
		if err != nil {
			t.Fatal(err)
		}
		halves += len(done) % 2
	})
	if halves == 0 {
		t.Error("never interrupted between the seeds of a row: the test says nothing")
	}
	got = timeless(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("whole (-), interrupted (+):\n%s", d)
	}
	if Markdown(want) != Markdown(got) || !cmp.Equal(cells(want), cells(got)) {
		t.Errorf("tables:\n%s\nand whole:\n%s", Markdown(got), Markdown(want))
	}
}

// A folder that was begun before there were several seeds holds what it held: its rows are read, its settings are the same.
func TestOldFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	dir := t.TempDir()
	c := tinyComparison(dir, Comparison{Tables: []string{"codes"}})
	set, err := json.MarshalIndent(tiny, "  ", "  ")
	if err != nil {
		t.Fatal(err)
	}
	old := map[string]string{
		settingsFile: `{
  "data": "procedural:80",
  "eval_data": "",
  "finetune": "small32",
  "preset": "small32",
  "set": ` + string(set) + `,
  "val_fraction": 0
}`,
		rowsFile: `{
  "codebook size: 8": {
    "table": "codebook size",
    "setting": "8",
    "reconstruction": 0.5,
    "codes_used": 8,
    "perplexity": 6.25,
    "linear_cls": 0.125,
    "linear_mean": 0.25,
    "linear_grid": 0.0625,
    "knn_cls": 0,
    "knn_mean": 0.1875,
    "knn_grid": 0.5,
    "finetuned": null,
    "seconds": 9.5
  }
}
`,
		CSVFile: "table,setting,reconstruction,codes_used,perplexity,linear_cls,linear_mean,linear_grid,knn_cls,knn_mean,knn_grid,finetuned,seconds\n" +
			"codebook size,8,0.5,8,6.25,0.125,0.25,0.0625,0,0.1875,0.5,,9.5\n",
	}
	for _, name := range []string{settingsFile, rowsFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(old[name]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rows := rowsOf(t, c)
	for name, want := range old {
		if d := cmp.Diff(want, files(t, dir, name)[0]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "runs")); err == nil {
		t.Error("a row that is there was trained again")
	}
	text, err := json.MarshalIndent(map[string]Row{"codebook size: 8": rows[0]}, "", "  ")
	if err != nil || string(text)+"\n" != old[rowsFile] {
		t.Errorf("as JSON the row is %s, error %v", text, err)
	}
}

// Backbones of the tables that vary settings are fine-tuned where that is wanted, also when they were measured without it, and each run once.
func TestFineTune(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	out := t.TempDir()
	c := tinyComparison(out, Comparison{Tables: []string{"dim", "codes", "aggregation", "teacher"}, Teachers: []string{"hog"}, Set: []string{"finetune:train.lr=3e-3"}})
	c.Dims = []int{4}
	before := rowsOf(t, c)
	c.FineTune = true
	rows := rowsOf(t, c)
	want := []string{
		"backbone", "backbone-code_dim-4-depth-0", "backbone-depth-0", "finetuned-backbone", "finetuned-backbone-code_dim-4-depth-0",
		"finetuned-backbone-depth-0", "finetuned-tokenizer", "tokenizer", "tokenizer-code_dim-4",
	}
	if d := cmp.Diff(want, runsOf(t, out)); d != "" {
		t.Error(d)
	}
	for i, of := range []string{"finetuned-backbone-code_dim-4-depth-0", "finetuned-backbone-depth-0", "finetuned-backbone-depth-0"} {
		r := finishedRun(t, filepath.Join(out, "runs", of))
		if rows[i].Finetuned == nil || *rows[i].Finetuned != r.Final.Values["top1"] || *rows[i].Seconds <= *before[i].Seconds || r.Config.Train.LR != 3e-3 {
			t.Errorf("%s: %+v of a run with top-1 %g, lr %g", of, rows[i], r.Final.Values["top1"], r.Config.Train.LR)
		}
		if start := filepath.Join(out, "runs", strings.TrimPrefix(of, "finetuned-")); r.Config.InitFrom != start {
			t.Errorf("%s starts from %s", of, r.Config.InitFrom)
		}
	}
	c.Tables, c.Seeds = []string{"codes"}, []int64{1, 3}
	seeds := rowsOf(t, c)[0].Seeds
	third := finishedRun(t, filepath.Join(out, "runs", "finetuned-backbone-depth-0-seed-3"))
	if start := filepath.Join(out, "runs", "backbone-depth-0-seed-3"); *seeds[0].Finetuned != *rows[1].Finetuned ||
		*seeds[1].Finetuned != third.Final.Values["top1"] || third.Config.Seed != 3 || third.Config.InitFrom != start {
		t.Errorf("seeds %+v; the run of seed %d starts from %s", seeds, third.Config.Seed, third.Config.InitFrom)
	}
	if itself := rows[3]; itself.Finetuned != nil || itself.LinearCLS != nil || itself.LinearMean == nil {
		t.Errorf("the teacher itself has features of patches and no fine-tuning: %+v", itself)
	}
	if text := Markdown(rows); strings.Count(text, " fine-tuned % |") != 4 || strings.Contains(Markdown(before), "fine-tuned") {
		t.Errorf("tables:\n%s", text)
	}
}

// Each row turns over one switch against the comparison's own settings. Codes that die together are a figure, and no error.
func TestAlive(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	out := t.TempDir()
	// At precision medium, which some processors choose, this rate gives NaN at once.
	rows := rowsOf(t, tinyComparison(out, Comparison{Tables: []string{"alive"}, Set: []string{"tokenizer.reseed=false", "tokenizer.model.euclidean=true", "train.lr=1e4", "precision=highest"}}))
	var settings []string
	for _, r := range rows {
		settings = append(settings, r.Setting)
	}
	want := []string{"unchanged", "euclidean=false", "codebook_gradient=true", "kmeans_init=false", "reseed=true"}
	if d := cmp.Diff(want, settings); d != "" {
		t.Error(d)
	}
	runs := []string{"tokenizer", "tokenizer-codebook_gradient-true", "tokenizer-euclidean-false", "tokenizer-kmeans_init-false", "tokenizer-reseed-true"}
	if d := cmp.Diff(runs, runsOf(t, out)); d != "" {
		t.Error(d)
	}
	first := finishedRun(t, filepath.Join(out, "runs", "tokenizer")).Config.Explain()
	for _, name := range runs {
		differ := 0
		for i, of := range finishedRun(t, filepath.Join(out, "runs", name)).Config.Explain() {
			if of != first[i] {
				differ++
			}
		}
		if (differ == 1) != (name != "tokenizer") {
			t.Errorf("%s: %d keys differ from the comparison's own settings", name, differ)
		}
	}
	if r := rows[3]; *r.CodesUsed != 1 || *r.Perplexity != 1 || r.LinearMean == nil || r.KNNMean == nil {
		t.Errorf("a codebook that collapsed: %+v", r)
	}
	head, _, _ := strings.Cut(Markdown(rows), "\n")
	if want := "| codes alive | reconstruction loss | codes used | perplexity | linear cls % | linear mean % | linear grid % | 20-NN cls % | 20-NN mean % | 20-NN grid % | seconds |"; head != want {
		t.Errorf("columns %s", head)
	}
}
