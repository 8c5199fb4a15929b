package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/train"
)

// tinyComparison makes every run of a comparison a moment's.
func tinyComparison(images, out string) []string {
	args := []string{"compare", "--data", images, "--out", out, "--dims", "4,8", "--codes", "8,16", "--heads", "0,1", "--json"}
	for _, list := range [][]string{tiny, tinyMIM} {
		for _, s := range list {
			if strings.HasPrefix(s, "train.") || strings.HasPrefix(s, "log.") || s == "--set" {
				continue
			}
			args = append(args, "--set", s)
		}
	}
	return append(args, assign("train.batch=16", "train.warmup_epochs=0", "log.every=2", "train.epochs=1", "pretrain:train.epochs=2",
		"tokenizer.model.code_dim=8")...)
}

func TestCompare(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	t.Parallel()
	dir := t.TempDir()
	images, out := filepath.Join(dir, "images"), filepath.Join(dir, "out")
	writeImages(t, images, map[string]int{"train": 80, "val": 30})
	args := tinyComparison(images, out)
	rows := decode[[]experiment.Row](t, mustRun(t, args...))
	var got []string
	for _, r := range rows {
		got = append(got, r.Table+": "+r.Setting)
		tokenizer, tokens := r.Setting != "untrained", !strings.HasSuffix(r.Setting, ", itself") // HOG has no class token
		if (r.Reconstruction != nil) != tokenizer || (r.Perplexity != nil) != tokenizer || (r.CodesUsed != nil) != tokenizer ||
			(r.LinearCLS != nil) != tokens || r.LinearMean == nil || (r.KNNCLS != nil) != tokens || r.KNNMean == nil || (r.Finetuned != nil) != (r.Table == "network") || *r.Seconds <= 0 {
			t.Errorf("%+v", r)
		}
	}
	want := []string{
		"decoder depth: 1", "decoder depth: 3", "code dimension: 4", "code dimension: 8", "codebook size: 8", "codebook size: 16",
		"aggregation blocks: 0", "aggregation blocks: 1, shared head", "aggregation blocks: 1, own head",
		"teacher: hog, itself", "teacher: hog, VQ-KD encoder", "teacher: hog",
		"teacher: hog-ref, itself", "teacher: hog-ref, VQ-KD encoder", "teacher: hog-ref",
		"network: VQ-KD encoder", "network: backbone", "network: untrained",
		"codes alive: unchanged", "codes alive: euclidean=true", "codes alive: codebook_gradient=true", "codes alive: kmeans_init=false",
		"codes alive: reseed=false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if a, b := rows[0], rows[3]; *a.Reconstruction != *b.Reconstruction || *a.LinearCLS != *b.LinearCLS {
		t.Errorf("the preset's own row differs between tables: %+v, %+v", a, b)
	}
	folders, err := os.ReadDir(filepath.Join(out, "runs"))
	if err != nil || len(folders) != 5+4+7+3 { // tokenizers: the preset's and with another depth, dimension, size, teacher, switch; backbones: theirs (4 without aggregation), the preset's and one with its own head
		var names []string
		for _, f := range folders {
			names = append(names, f.Name())
		}
		t.Errorf("%d runs: %v, error %v", len(folders), names, err)
	}

	// What was interrupted goes on to the same figures: without the notes of the last rows, and without a finished model.
	table, err := os.ReadFile(filepath.Join(out, experiment.CSVFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, "rows.json")); err != nil {
		t.Fatal(err)
	}
	again := decode[[]experiment.Row](t, mustRun(t, args...))
	if d := cmp.Diff(rows, again); d != "" {
		t.Error(d)
	}
	lines, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
	if err != nil || len(lines) != 24 || len(lines[0]) != 2+11 {
		t.Errorf("%d lines of CSV, error %v", len(lines), err)
	}
	text, err := os.ReadFile(filepath.Join(out, experiment.MarkdownFile))
	if err != nil || strings.Count(string(text), "\n|---") != 7 || !strings.Contains(string(text), "| 1, shared head |") {
		t.Errorf("error %v, tables:\n%s", err, text)
	}
	if status, _, errOut := beitRun(t, append(args, "--set", "seed=9")...); status != 2 || !strings.Contains(errOut, "other settings") {
		t.Errorf("other settings: status %d: %s", status, errOut)
	}
}

// TestCompareNetwork: the untrained network has the backbone's shape, and the figure is that of the model that fine-tuning leaves.
func TestCompareNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	args := append(tinyComparison("procedural:80", out), "--table", "network")
	args = append(args, assign("finetune:finetune.ema=0.999", "finetune:train.lr=1e-2", "pretrain:pretrain.model.vit.abs_pos=true",
		"pretrain:pretrain.model.vit.qkv_bias=false")...)
	rows := decode[[]experiment.Row](t, mustRun(t, args...))
	differ := false
	for i, name := range []string{"tokenizer", "backbone", "untrained"} {
		result, err := train.Finished(filepath.Join(out, "runs", "finetuned-"+name), model.Methods())
		if err != nil {
			t.Fatal(err)
		}
		v := result.Final.Values
		if differ = differ || v["ema_top1"] != v["top1"]; rows[i].Finetuned == nil || *rows[i].Finetuned != v["ema_top1"] {
			t.Errorf("%s: %+v of a run with %v", name, rows[i], v)
		}
		f := finetune.SectionOf(result.Config).Model
		if shape := f.AbsPos && !f.QKVBias && f.RelPos == beit.RelPosBlock && f.Width == 24 && f.Depth == 2; name != "tokenizer" && !shape {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if !differ {
		t.Error("average and weights have equal figures: the test says nothing")
	}
}

// The probes are those of beit probe linear.
func TestCompareProbes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	row := decode[[]experiment.Row](t, mustRun(t, append(tinyComparison("procedural:240", out), "--table", "aggregation", "--heads", "0")...))[0]
	rows := decode[[]probed](t, mustRun(t, "probe", "linear", filepath.Join(out, "runs", "backbone-depth-0"), "--data", "procedural:240", "--alone", "--json"))
	if rows[0].Top1 != *row.LinearCLS || rows[1].Top1 != *row.LinearMean || rows[2].Top1 != *row.LinearGrid {
		t.Errorf("cls %g, mean %g, grid %g; by beit probe %+v", *row.LinearCLS, *row.LinearMean, *row.LinearGrid, rows)
	}
	rows = decode[[]probed](t, mustRun(t, "probe", "knn", filepath.Join(out, "runs", "backbone-depth-0"), "--data", "procedural:240", "--alone", "--json"))
	if rows[0].Top1 != *row.KNNCLS || rows[1].Top1 != *row.KNNMean || rows[2].Top1 != *row.KNNGrid {
		t.Errorf("by neighbours cls %g, mean %g, grid %g; by beit probe %+v", *row.KNNCLS, *row.KNNMean, *row.KNNGrid, rows)
	}
}

// What probes cannot use is found before anything is trained or the folder is made, and what ends a run comes with what to do about it.
func TestCompareFailures(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	writeImages(t, dir, map[string]int{"train": 20, "flat": 20})
	images, other, flat := filepath.Join(dir, "train"), filepath.Join(dir, "other"), filepath.Join(dir, "flat", "class1")
	if err := os.CopyFS(filepath.Join(other, "a"), os.DirFS(flat)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(other, "class1"), os.DirFS(flat)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--data", images}, 2, "--val-fraction"},
		{[]string{"--data", flat, "--val-fraction", "0.5"}, 2, "need labels"},
		{[]string{"--data", images, "--eval-data", flat}, 2, "need labels"},
		{[]string{"--data", images, "--eval-data", other}, 1, `class "a"`},
	} {
		status, _, errOut := beitRun(t, append([]string{"compare", "--out", out}, c.args...)...)
		if _, err := os.Stat(out); status != c.status || !strings.Contains(errOut, c.want) || err == nil {
			t.Errorf("%s: status %d, %q, want %q; folder made: %v", c.args, status, errOut, c.want, err == nil)
		}
	}
	status, _, errOut := beitRun(t, append(tinyComparison("procedural:80", out), "--table", "network", "--set", "tokenizer:train.lr=1e30")...)
	if status != statusDiverged || !strings.Contains(errOut, "a lower train.lr") || !strings.Contains(errOut, "with another --out") {
		t.Errorf("a run that diverges: status %d, %q", status, errOut)
	}
}

func TestCompareMistakes(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "--data"}, {"--data x --table decodr", `did you mean "decoder"?`}, {"--data x --set nonsense=3", "nonsense"},
		{"--data x --set finetune:pretrain.target=codes", "neither"}, {"--data x --teacher nobody", "nobody"},
		{"--data x --seeds 1,2 --set seed=3", "set seed=3: --seeds chooses the seeds"},
		{"--data x --seeds 1,2 --set finetune:seed=3", "set finetune:seed=3: --seeds"}, {"--data x --seeds 1,2,1", "each once"},
		{"--data x --seeds=-1", "not negative"}, {"--data x --seeds 1,two", "--seeds"},
		{"--data procedural:80 --set finetune:train.lr=-1", "train.lr = -1"}, {"--data procedural:80 --table dim --fine-tune --set finetune:train.lr=-1", "train.lr = -1"},
		{"--data procedural:80 --preset reference32 --table dim --fine-tune", "beit: --finetune NAME: fine-tuning has no preset"},
		{"--data x --dims 0", "code dimension"}, {"--data x --heads=-1", "aggregation.depth"}, {"--data x --preset base_300e", "preset"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		status, _, errOut := beitRun(t, strings.Fields("compare --out "+out+" "+c.args)...)
		if _, err := os.Stat(out); status != 2 || !strings.Contains(errOut, c.want) || strings.Count(errOut, "\n") != 1 || err == nil {
			t.Errorf("%s: status %d, %q, want %q; folder made: %v", c.args, status, errOut, c.want, err == nil)
		}
	}
}

// Not beside other tests: their operations would be counted too.
func TestCompareMethods(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"compare", "--methods", "mae", "--data", "shapes:60", "--fractions", "0.5,1", "--lengths", "2e8", "--out", out, "--set", "finetune:train.epochs=1"}
	for _, s := range tinyMAE {
		if s != "--set" && !strings.HasPrefix(s, "train.epochs") {
			args = append(args, "--set", s)
		}
	}
	plan := decode[experiment.MethodPlan](t, mustRun(t, append(args, "--dry-run", "--json")...))
	if _, err := os.Stat(out); err == nil || len(plan.Rows) != 1 || plan.Rows[0].FLOPs != 2e8 || plan.Rows[0].Tokenizer != 0 {
		t.Errorf("%+v; folder made: %v", plan, err == nil)
	}
	if text := mustRun(t, append(args, "--dry-run")...); !strings.Contains(text, "of them the tokenizer") || !strings.Contains(text, "images: 60; seeds: 1") {
		t.Errorf("the plan: %s", text)
	}
	status, text, errOut := beitRun(t, args...)
	if status != 0 || !strings.Contains(text, "| mae | 2e+08 |") || !strings.Contains(text, "fine-tuned at 50 % | fine-tuned at 100 %") || !strings.Contains(errOut, "tables.md and rows.csv are in "+out) {
		t.Errorf("status %d, %s: %s", status, text, errOut)
	}
	table := decode[experiment.MethodTable](t, mustRun(t, append(args, "--json")...))
	if len(table.Rows) != 1 || table.Rows[0].Mean["flops"] > 2e8 || len(table.Notes) == 0 {
		t.Errorf("%+v", table)
	}
	for args, want := range map[string]string{
		"--methods mea":                 "--methods mea: did you mean mae?",
		"--methods mae --entries x":     "choose one",
		"--methods mae --depths 3":      "--depths belongs to the tables: with --methods leave it away",
		"--lengths 1e9":                 "--lengths belongs to --methods: with the tables leave it away",
		"--methods mae --fractions 1.5": "--fractions [1.5]",
		"--methods mae --eval-masks x":  "--eval-masks are for the validation of --masks: name those too",
	} {
		status, out, errOut := beitRun(t, append([]string{"compare", "--data", "shapes:60", "--out", filepath.Join(t.TempDir(), "out")}, strings.Fields(args)...)...)
		if status != statusUsage || out != "" || !strings.Contains(errOut, want) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("beit compare %s: status %d, %q, want %q", args, status, errOut, want)
		}
	}
	if status, _, errOut := beitRun(t, "compare", "--data", "shapes:60"); status != statusUsage || !strings.Contains(errOut, "--out DIR") {
		t.Errorf("without a folder: status %d, %s", status, errOut)
	}
}
