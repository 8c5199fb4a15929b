package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tinyAblation makes every run of an ablation a moment's.
func tinyAblation(pictures, out string) []string {
	args := []string{"ablate", "--data", pictures, "--out", out, "--dims", "4,8", "--codes", "8,16", "--heads", "0,1", "--json"}
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

func TestAblate(t *testing.T) {
	dir := t.TempDir()
	pictures, out := filepath.Join(dir, "pictures"), filepath.Join(dir, "out")
	writePictures(t, pictures, map[string]int{"train": 80, "val": 30})
	args := tinyAblation(pictures, out)
	rows := decode[[]ablated](t, mustRun(t, args...))
	var got []string
	for _, r := range rows {
		got = append(got, r.Table+": "+r.Setting)
		tokenizer, backbone := r.Setting != "untrained", r.Setting != "untrained" && r.Setting != "VQ-KD encoder"
		if (r.Reconstruction != nil) != tokenizer || (r.Perplexity != nil) != tokenizer || (r.CodesUsed != nil) != tokenizer ||
			r.LinearCLS == nil || r.LinearMean == nil || r.KNNCLS == nil || r.KNNMean == nil || (r.Finetuned != nil) != (r.Table == "network") || r.Seconds <= 0 {
			t.Errorf("%+v (backbone: %v)", r, backbone)
		}
	}
	want := []string{
		"decoder depth: 1", "decoder depth: 3", "code dimension: 4", "code dimension: 8", "codebook size: 8", "codebook size: 16",
		"aggregation blocks: 0", "aggregation blocks: 1, shared head", "aggregation blocks: 1, own head", "teacher: hog", "teacher: hog-ref",
		"network: VQ-KD encoder", "network: backbone", "network: untrained",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if a, b := rows[0], rows[3]; *a.Reconstruction != *b.Reconstruction || *a.LinearCLS != *b.LinearCLS {
		t.Errorf("the preset's own row differs between tables: %+v, %+v", a, b)
	}
	folders, err := os.ReadDir(filepath.Join(out, "runs"))
	if err != nil || len(folders) != 5+7+3 { // tokenizers: the preset's and with another depth, dimension, size, teacher; backbones: theirs (4 without aggregation), the preset's and one with its own head
		var names []string
		for _, f := range folders {
			names = append(names, f.Name())
		}
		t.Errorf("%d runs: %v, error %v", len(folders), names, err)
	}

	// What was interrupted goes on to the same figures: without the notes of the last rows, and without a finished model.
	table, err := os.ReadFile(filepath.Join(out, ablateCSV))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, ablateResults)); err != nil {
		t.Fatal(err)
	}
	again := decode[[]ablated](t, mustRun(t, args...))
	if d := cmp.Diff(rows, again); d != "" {
		t.Error(d)
	}
	lines, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
	if err != nil || len(lines) != 15 || len(lines[0]) != 2+len(columns) {
		t.Errorf("%d lines of CSV, error %v", len(lines), err)
	}
	text, err := os.ReadFile(filepath.Join(out, ablateMarkdown))
	if err != nil || strings.Count(string(text), "\n|---") != 6 || !strings.Contains(string(text), "| 1, shared head |") {
		t.Errorf("error %v, tables:\n%s", err, text)
	}
	if status, _, errOut := beitRun(t, append(args, "--set", "seed=9")...); status != 2 || !strings.Contains(errOut, "other settings") {
		t.Errorf("other settings: status %d: %s", status, errOut)
	}
}

func TestAblateMistakes(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "--data"}, {"--data x --table decodr", `did you mean "decoder"?`}, {"--data x --set nonsense=3", "nonsense"},
		{"--data x --set finetune:pretrain.target=codes", "neither"}, {"--data x --teacher nobody", "nobody"},
		{"--data x --dims 0", "code dimension"}, {"--data x --heads=-1", "head_layers"}, {"--data x --preset base_300e", "preset"},
	} {
		status, _, errOut := beitRun(t, strings.Fields("ablate --out "+filepath.Join(t.TempDir(), "out")+" "+c.args)...)
		if status != 2 || !strings.Contains(errOut, c.want) {
			t.Errorf("%s: status %d, %q, want %q", c.args, status, errOut, c.want)
		}
	}
}
