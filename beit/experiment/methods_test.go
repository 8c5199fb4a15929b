package experiment

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// tinyMethods is a comparison of ways to pretrain with networks that train in a moment.
func tinyMethods(out string) (Comparison, Methods) {
	set := []string{
		"pretrain.model.aggregation.layer=1", "mae.model.vit.image_size=16", "mae.model.vit.width=24", "mae.model.vit.heads=2", "mae.model.vit.depth=2",
		"mae.model.decoder.width=16", "mae.model.decoder.depth=1", "mae.model.decoder.heads=2", "finetune:train.epochs=1", "segment:train.epochs=1",
		"segment:train.batch=4", "segment.augment.short=16", "segment.augment.long=32", "precision=highest",
	}
	for _, s := range tiny {
		if !strings.HasPrefix(s, "train.epochs") && !strings.HasPrefix(s, "pretrain.model.early_layer") {
			set = append(set, s)
		}
	}
	return Comparison{Data: "shapes:80", Out: out, Preset: "small32", Seeds: []int64{1, 2}, Set: set},
		Methods{Names: []string{"beit2", "mae", "mvp"}, Lengths: []float64{4e8}, Fractions: []float64{0.5}, Masks: "shapes:20"}
}

// comparedMethods carries out a comparison.
func comparedMethods(t *testing.T, c Comparison, m Methods) *MethodTable {
	t.Helper()
	table, err := CompareMethods(t.Context(), ownEnv(), c, m)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Each way takes what it may, but for a step of each epoch, and its figures are those of its runs. Ways that learn from a tokenizer share it, and pay
// for it each.
func TestCompareMethods(t *testing.T) {
	out := t.TempDir()
	c, m := tinyMethods(out)
	table := comparedMethods(t, c, m)
	if len(table.Rows) != 3 || len(table.Columns) != 7 {
		t.Fatalf("%d rows of %d columns: %+v", len(table.Rows), len(table.Columns), table)
	}
	for _, row := range table.Rows {
		for i, f := range row.Seeds {
			folder := func(name, run string) string {
				return filepath.Join(out, "runs", name, "4e08", "seed-"+string('1'+rune(i)), run)
			}
			name := pretrain.Method.Name
			if row.Method == mae.Method.Name {
				name = row.Method
			}
			last := finishedRun(t, folder(row.Method, name))
			used, err := countedFLOPs(last.Dir)
			if err != nil {
				t.Fatal(err)
			}
			slack := float64(last.Config.Train.Epochs) * budget{unit: unitFLOPs}.step(t, last)
			if section, ok := last.Config.Section.(*pretrain.Section); ok {
				tok := folder(tokenizer.Method.Name, tokenizer.Method.Name)
				its, err := countedFLOPs(tok)
				if err != nil || section.Tokenizer != tok || its > tokenizerShare*row.Length {
					t.Errorf("%s learns from %s, which took %g, error %v", row.Method, section.Tokenizer, its, err)
				}
				used += its
			}
			if f[keyCost] != used || used > row.Length || used+slack <= row.Length {
				t.Errorf("%s took %g, of its runs %g, of %g", row.Method, f[keyCost], used, row.Length)
			}
			tuned, head := finishedRun(t, folder(row.Method, "finetune-0.5")), finishedRun(t, folder(row.Method, "segment"))
			if f["finetuned_0.5"] != tuned.Final.Values["top1"] || f["miou"] != head.Final.Values["miou"] || tuned.Config.Data.LabelFraction != 0.5 {
				t.Errorf("%s: %v, the runs have %v and %v", row.Method, f, tuned.Final.Values, head.Final.Values)
			}
			for _, r := range []*train.Result{last, tuned, head} {
				if r.Config.Seed != uint64(i+1) || r.Config.Data.Seed != 1 {
					t.Errorf("%s: seed %d, of images %d", r.Dir, r.Config.Seed, r.Config.Data.Seed)
				}
			}
			for key, v := range f {
				if key != keyCost && !(v >= 0 && v <= 1) {
					t.Errorf("%s: %s = %g", row.Method, key, v)
				}
			}
		}
		if mean := (row.Seeds[0]["knn_mean"] + row.Seeds[1]["knn_mean"]) / 2; math.Abs(row.Mean["knn_mean"]-mean) > 1e-12 || len(row.SD) != 7 {
			t.Errorf("%s: mean %g, want %g; deviations %v", row.Method, row.Mean["knn_mean"], mean, row.SD)
		}
	}
	f, err := os.Open(filepath.Join(out, CSVFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) != 4 || lines[1][0] != "beit2" || !slices.Contains(lines[0], "miou_sd") || lines[3][slices.Index(lines[0], "miou")] != cell(value(table.Rows[2].Mean, "miou")) {
		t.Errorf("%v, error %v", lines, err)
	}
	for _, want := range []string{"| beit2 | 4e+08 |", "fine-tuned at 50 %", "mIoU %", "Its tokenizer takes 20 % of the cost", "mae: masked autoencoder", "seeds 1, 2"} {
		if !strings.Contains(table.Markdown(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.Markdown())
		}
	}

	// What is there is kept: a fraction more needs no run but those of fine-tuning.
	before, err := os.Stat(filepath.Join(out, "runs", "mae", "4e08", "seed-1", "mae", mae.Method.ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	m.Names, m.Fractions = []string{"mae"}, []float64{0.5, 1}
	more := comparedMethods(t, c, m)
	after, err := os.Stat(filepath.Join(out, "runs", "mae", "4e08", "seed-1", "mae", mae.Method.ModelFile))
	if err != nil || !before.ModTime().Equal(after.ModTime()) || len(more.Rows) != 1 || len(more.Columns) != 8 {
		t.Errorf("trained again, error %v: %+v", err, more)
	}
	for key, v := range table.Rows[1].Mean {
		if more.Rows[0].Mean[key] != v {
			t.Errorf("%s = %g, and %g with another fraction", key, v, more.Rows[0].Mean[key])
		}
	}
	c.Set = append(slices.Clone(c.Set), "train.lr=1e-5")
	var refused SettingError
	if _, err := CompareMethods(t.Context(), ownEnv(), c, m); !errors.As(err, &refused) || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("other settings: error %v", err)
	}
}

// A comparison that was interrupted again and again ends with the same files as one that was not.
func TestCompareMethodsResumes(t *testing.T) {
	whole, parts := t.TempDir(), t.TempDir()
	c, m := tinyMethods(whole)
	c.Seeds, m.Names = []int64{3}, []string{"beit2", "mae"}
	want := comparedMethods(t, c, m)
	c.Out = parts
	got := interrupted(t, 3, 4, func(ctx context.Context, env Env) (*MethodTable, error) { return CompareMethods(ctx, env, c, m) }, nil)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("whole (-), interrupted (+):\n%s", d)
	}
	sameFiles(t, whole, parts, MarkdownFile, CSVFile, measuredFile)

	first := m.Fractions
	m.Names, m.Fractions = []string{"mae"}, []float64{0.75}
	comparedMethods(t, c, m)
	measured, err := readDone[Figured](filepath.Join(parts, measuredFile))
	if err != nil {
		t.Fatal(err)
	}
	f := measured["mae, "+lengthText(m.Lengths[0])+", seed 3"]
	for _, fraction := range append(first, 0.75) { // those of the table before are kept
		if _, ok := f[finetunedKey(fraction)]; !ok {
			t.Errorf("no figure at a fraction of %g: %v", fraction, f)
		}
	}
}

// The plan writes nothing, and reckons with the costs that the methods say.
func TestPlanMethods(t *testing.T) {
	c, m := tinyMethods(filepath.Join(t.TempDir(), "out"))
	m.Lengths = []float64{1e9, 2e9}
	p, err := PlanMethods(t.Context(), ownEnv(), c, m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.Out); err == nil {
		t.Error("the plan wrote")
	}
	sum := 0.0
	for _, r := range p.Rows {
		sum += 2 * (r.FLOPs + r.After)
		if counted := (r.FLOPs - r.Tokenizer) / (r.PerImage * 80); math.Abs(r.Epochs-counted) > 1e-9 || (r.Tokenizer == 0) != (r.Method == "mae") || r.After <= 0 {
			t.Errorf("%+v", r)
		}
	}
	if len(p.Rows) != 6 || p.Rows[4].Method != "mae" || p.Rows[4].FLOPs != 2e9 || p.Images != 80 || math.Abs(p.Total-sum) > 1e-6*sum {
		t.Errorf("%+v", p)
	}
	m.Names, m.Lengths = []string{"beit2", "splitmask", "cae"}, []float64{1e11}
	wider := c
	wider.Set = append(slices.Clone(c.Set), "splitmask.model.vit.image_size=16", "cae.model.vit.image_size=16")
	before, errBefore := PlanMethods(t.Context(), ownEnv(), wider, m)
	wider.Set = append(wider.Set, "tokenizer.model.encoder.width=48")
	after, err := PlanMethods(t.Context(), ownEnv(), wider, m)
	if errBefore != nil || err != nil {
		t.Fatal(errBefore, err)
	}
	for i, r := range before.Rows { // all learn from the same tokenizer
		if more := after.Rows[i].PerImage - r.PerImage; more <= 0 || math.Abs(more-after.Rows[0].PerImage+before.Rows[0].PerImage) > 1e-6*more {
			t.Errorf("%s: a wider tokenizer takes %g operations more", r.Method, more)
		}
	}
	m.Names = []string{"beit2", "mae", "mvp"}
	m.Lengths = nil
	if p, err = PlanMethods(t.Context(), ownEnv(), c, m); err != nil || len(p.Rows) != 3 || p.Rows[0].FLOPs != p.Rows[0].PerImage*80*float64(pretrain.Method.Preset("small32").Train.Epochs) {
		t.Errorf("without lengths: %+v, error %v", p, err)
	}
}

// A way that learns from no tokenizer has its whole length for itself, k-means over pixels included.
func TestComparePixelCodes(t *testing.T) {
	out := t.TempDir()
	c, m := tinyMethods(out)
	c.Seeds, m.Names, m.Fractions, m.Masks = []int64{1}, []string{"beit1-pixels"}, nil, ""
	table := comparedMethods(t, c, m)
	if len(table.Rows) != 1 || len(table.Rows[0].Seeds) != 1 {
		t.Fatalf("%+v", table)
	}
	if f := table.Rows[0].Seeds[0]; !(f[keyCost] > 0.5*m.Lengths[0] && f[keyCost] <= m.Lengths[0]) || !f.has(table.Columns) {
		t.Errorf("figures %v", f)
	}
	runs, err := filepath.Glob(filepath.Join(out, "runs", "*", "*", "*", "*"))
	if want := filepath.Join(out, "runs", "beit1-pixels", "4e08", "seed-1", "pretrain"); err != nil || !slices.Equal(runs, []string{want}) {
		t.Errorf("runs %q, error %v, want %s alone", runs, err, want)
	}
}

// What cannot be compared is refused before anything is trained.
func TestMethodsRefused(t *testing.T) {
	plain := writeImages(t, filepath.Join(t.TempDir(), "plain"), 10, 1, false)
	for want, change := range map[string]func(c *Comparison, m *Methods){
		"did you mean mae?":                                func(_ *Comparison, m *Methods) { m.Names = []string{"mea"} },
		"is there twice":                                   func(_ *Comparison, m *Methods) { m.Names = []string{"mae", "mae"} },
		"learns from a published network":                  func(_ *Comparison, m *Methods) { m.Names = []string{"mae", "beit1"} },
		"name at least one":                                func(_ *Comparison, m *Methods) { m.Names = nil },
		"--lengths [-1]":                                   func(_ *Comparison, m *Methods) { m.Lengths = []float64{-1} },
		"--lengths [1 1]":                                  func(_ *Comparison, m *Methods) { m.Lengths = []float64{1, 1} },
		"--fractions [2]":                                  func(_ *Comparison, m *Methods) { m.Fractions = []float64{2} },
		"--seeds [-1]":                                     func(c *Comparison, _ *Methods) { c.Seeds = []int64{-1} },
		"name the images with --data":                      func(c *Comparison, _ *Methods) { c.Data = "" },
		"chooses train.epochs itself":                      func(c *Comparison, _ *Methods) { c.Set = append(c.Set, "train.epochs=3") },
		"chooses pretrain.tokenizer itself":                func(c *Comparison, _ *Methods) { c.Set = append(c.Set, "pretrain.tokenizer=x") },
		"chooses data.label_fraction":                      func(c *Comparison, _ *Methods) { c.Set = append(c.Set, "data.label_fraction=0.1") },
		"set mae.mask.rat=0.5: neither dino nor tokenizer": func(c *Comparison, _ *Methods) { c.Set = append(c.Set, "mae.mask.rat=0.5") },
		"mae.mask.ratio = 2":                               func(c *Comparison, _ *Methods) { c.Set = append(c.Set, "mae.mask.ratio=2") },
		"images of 32 in 8 x 8 patches": func(c *Comparison, _ *Methods) {
			c.Set = append(c.Set, "tokenizer:tokenizer.model.encoder.image_size=32")
		},
		"learns the features of the tokenizer's teacher": func(c *Comparison, m *Methods) {
			m.Names, c.Set = []string{"mvp"}, append(c.Set, "tokenizer.teacher=pixels")
		},
		`pretrain.feature_loss = "all+cls": teacher hog has no class token; those of clip and dino have one`: func(c *Comparison, m *Methods) {
			m.Names, c.Set = []string{"mvp"}, append(c.Set, "pretrain.feature_loss=all+cls", "pretrain.model.aggregation.depth=0")
		},
		"--lengths 1e+06: beit2: a step of its tokenizer, on 16 images, takes": func(_ *Comparison, m *Methods) { m.Lengths = []float64{4e8, 1e6} },
		"--lengths 1e+06: mae: a step of the backbone, on 16 images, takes": func(_ *Comparison, m *Methods) {
			m.Names, m.Lengths = []string{"mae", "beit2"}, []float64{1e6}
		},
		`preset "small33" does`:      func(c *Comparison, _ *Methods) { c.Preset = "small33" },
		"--masks: nowhere":           func(_ *Comparison, m *Methods) { m.Masks = "nowhere" },
		"--masks: " + plain.String(): func(_ *Comparison, m *Methods) { m.Masks = plain },
	} {
		c, m := tinyMethods(filepath.Join(t.TempDir(), "out"))
		change(&c, &m)
		var refused SettingError
		if _, err := CompareMethods(t.Context(), ownEnv(), c, m); !errors.As(err, &refused) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := os.Stat(c.Out); err == nil {
			t.Errorf("%s: a folder was made", want)
		}
	}
}
