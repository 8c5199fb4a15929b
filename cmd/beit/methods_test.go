package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/splitmask"
)

// dalleFile is a tiny encoder of DALL-E.
var dalleFile = filepath.Join("..", "..", "beit", "testdata", "oracle-methods", "dalle", "encoder_legacy.pkl")

// TestPretrainMethods pretrains by each name of --method; config.toml keeps what was chosen.
func TestPretrainMethods(t *testing.T) {
	t.Parallel()
	tok := trainedRuns(t).tokenizer
	for _, c := range []struct {
		name, target string
		of           *method.Method
		args         []string
	}{
		{"beit2", "codes", pretrain.Method, slices.Concat([]string{"--tokenizer", tok}, tinyMIM)},
		{"mvp", "features", pretrain.Method, slices.Concat([]string{"--tokenizer", tok}, tinyMIM)},
		{"beit1", "dalle", pretrain.Method, slices.Concat([]string{"--tokenizer", dalleFile, "--set", "data.augment=none"}, tinyMIM)}, // which resuming keeps
		{"beit1-pixels", "pixel-kmeans", pretrain.Method, slices.Concat(tinyMIM, []string{"--set", "pretrain.model.vocab=16"})},
		{"dino", "", dino.Method, tinyTeacher},
		{"cae", "", cae.Method, slices.Concat([]string{"--tokenizer", tok}, tinyCAE)},
		{"mae", "", mae.Method, tinyMAE},
		{"splitmask", "", splitmask.Method, slices.Concat([]string{"--tokenizer", tok}, tinySplitMask)},
	} {
		dir := filepath.Join(t.TempDir(), c.name)
		done := decode[finished](t, mustRun(t, slices.Concat([]string{"pretrain", "--method", c.name, "--data", "procedural:60", "--out", dir, "--json"}, c.args)...))
		if done.Model != filepath.Join(dir, c.of.ModelFile) {
			t.Errorf("%s left %s", c.name, done.Model)
		}
		m, cfg, err := model.ReadConfig(dir)
		if err != nil || m != c.of {
			t.Fatalf("%s: method %v, error %v", c.name, m, err)
		}
		if s, ok := cfg.Section.(*pretrain.Section); ok && (s.Target != c.target || (s.Model.Aggregation.Depth == 0) != strings.HasPrefix(c.name, "beit1")) {
			t.Errorf("%s: target %s, %d aggregation blocks", c.name, s.Target, s.Model.Aggregation.Depth)
		}
		if text := mustRun(t, "pretrain", "--method", c.name, "--resume", dir); !strings.Contains(text, done.Model) {
			t.Errorf("%s resumed: %s", c.name, text)
		}
		if c.name != "beit1" {
			continue
		}
		again := dir + "-again"
		mustRun(t, "pretrain", "--method", c.name, "--config", filepath.Join(dir, "config.toml"), "--out", again)
		if _, second, err := model.ReadConfig(again); err != nil || second.Data.Augment != cfg.Data.Augment || cfg.Data.Augment != config.AugmentNone {
			t.Errorf("%s by its file of settings: augmentation %v, error %v", c.name, second, err)
		}
	}
	images, run := "--data procedural:60 ", " --resume "+trainedRuns(t).dino
	for args, want := range map[string]string{
		images + "--method bent2 --tokenizer x":                     "--method bent2: did you mean beit2?",
		images + "--method frob --tokenizer x":                      "--method frob: there are beit1, beit1-pixels, beit2, cae, dino, mae, mvp, splitmask",
		images + "--method mae --tokenizer x":                       "--method mae learns from no tokenizer",
		images + "--method dino --tokenizer x":                      "--method dino learns from no tokenizer",
		images + "--method beit1-pixels --tokenizer x":              "--method beit1-pixels learns from no tokenizer",
		images + "--method mvp":                                     "--tokenizer",
		images + "--set pretrain.target=pixel-kmeans --tokenizer x": "--method beit1-pixels learns from no tokenizer",
		images + "--set pretrain.target=dalle":                      "name DALL-E's encoder with --tokenizer dalle-encoder",
		images + "--method beit1":                                   "name DALL-E's encoder with --tokenizer dalle-encoder",
		images + "--preset base_beit1":                              "name DALL-E's encoder with --tokenizer dalle-encoder",
		images + "--preset small32_beit1":                           "name the tokenizer with --tokenizer RUN",
		images + "--method splitmask":                               "name the tokenizer with --tokenizer RUN",
		images + "--method cae":                                     "name the tokenizer with --tokenizer RUN",
		images + "--method dino --set pretrain.target=codes":        "unknown key pretrain.target of method dino",
		run: "beit pretrain --method dino" + run,
	} {
		status, out, errOut := beitRun(t, append([]string{"pretrain"}, strings.Fields(args)...)...)
		if status != statusUsage || out != "" || !strings.Contains(errOut, want) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("beit pretrain %s: status %d, %q, want %q", args, status, errOut, want)
		}
	}
}

// Every teacher that needs no model is named by --teacher, and a name that is none is refused with a list of them.
func TestNamedTeachers(t *testing.T) {
	for _, teacher := range []string{"hog", "hog-ref", "pixels"} {
		dir := filepath.Join(t.TempDir(), "run")
		mustRun(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:20", "--out", dir, "--teacher", teacher}, tiny)...)
		if text, err := os.ReadFile(filepath.Join(dir, "config.toml")); err != nil || !strings.Contains(string(text), "teacher = \""+teacher+"\"\n") {
			t.Errorf("--teacher %s: error %v\n%s", teacher, err, text)
		}
	}
	want := "--teacher pixel: none of hog, hog-ref, clip, dino, pixels, and no run folder"
	if status, _, errOut := beitRun(t, "tokenizer", "train", "--data", "procedural:20", "--teacher", "pixel"); status != statusUsage || !strings.Contains(errOut, want) {
		t.Errorf("status %d, %s, want %q", status, errOut, want)
	}
}

// Every key of every method is explained, as text and as JSON: what it is, its default, and the paper's value.
func TestExplain(t *testing.T) {
	for _, m := range model.Methods() {
		keys := m.Preset(m.Presets[0]).Keys()
		text := mustRun(t, "config", m.Name, "--explain", "--set", "train.epochs=77")
		var got []string
		for _, e := range decode[[]config.Explained](t, mustRun(t, "config", m.Name, "--explain", "--json", "--set", "train.epochs=77")) {
			got = append(got, e.Key)
			if e.Help == "" || e.Wants == "" || strings.HasSuffix(e.Wants, ", ") {
				t.Errorf("%s: %+v", m.Name, e)
			}
			paper := map[string]string{"tokenizer": "100", "pretrain": "1600", "cae": "1600", "mae": "1600", "finetune": "100", "segment": "127"}[m.Name]
			if e.Key == "train.epochs" && (e.Value != "77" || e.Default != fmt.Sprint(m.Preset(config.DefaultPreset).Train.Epochs) || e.Paper != paper) {
				t.Errorf("%s: %+v", m.Name, e)
			}
			if (e.Key == "data.path" || e.Key == "seed" || e.Key == "data.cache_mb" || strings.HasPrefix(e.Key, "log.")) && e.Paper != "" {
				t.Errorf("%s: %s is not of the paper: %q", m.Name, e.Key, e.Paper)
			}
			if line := "\n" + e.Key + " = " + e.Value + "\n    " + e.Help + " (" + e.Wants + defaultAndPaper(e) + ")\n"; !strings.Contains("\n"+text, line) {
				t.Errorf("%s: the text lacks %q", m.Name, line)
			}
		}
		if d := cmp.Diff(keys, got); d != "" {
			t.Errorf("%s: keys (-) and those explained (+):\n%s", m.Name, d)
		}
		if !strings.Contains(text, "[train]\n") || strings.Contains(text, "\n\n\n") {
			t.Errorf("%s: paragraphs:\n%s", m.Name, text)
		}
	}
}
