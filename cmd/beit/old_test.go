package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
)

// noted carries out a command line that must succeed, and checks that each note comes once.
func noted(t *testing.T, args []string, notes ...string) (out string) {
	t.Helper()
	status, out, errOut := beitRun(t, args...)
	if status != statusOK {
		t.Fatalf("beit %s: status %d: %s", strings.Join(args, " "), status, errOut)
	}
	for _, note := range notes {
		if strings.Count(errOut, note+"\n") != 1 {
			t.Errorf("beit %s: %q is not there once:\n%s", strings.Join(args, " "), note, errOut)
		}
	}
	if n := strings.Count(errOut, " is called "); n != len(notes) {
		t.Errorf("beit %s: %d notes, want %d:\n%s", strings.Join(args, " "), n, len(notes), errOut)
	}
	return out
}

// unmeasured is a header without what depends on the machine's speed and free memory.
func unmeasured(header string) string {
	return regexp.MustCompile(`(?m)^(time|memory) .*\n`).ReplaceAllString(header, "")
}

// Old commands and flags work, and one note tells the new name.
func TestOldCommands(t *testing.T) {
	t.Parallel()
	r := trainedRuns(t)
	dir := t.TempDir()
	teacher := filepath.Join(dir, "teacher")
	noted(t, slices.Concat([]string{"teacher", "train", "--data", "procedural:60", "--out", teacher}, tinyTeacher),
		"beit teacher train is called beit pretrain --method dino now")
	if same := readFile(t, filepath.Join(teacher, "teacher.safetensors")); string(same) != string(readFile(t, filepath.Join(r.dino, "teacher.safetensors"))) {
		t.Error("by its old name the command trains another model")
	}
	images := filepath.Join(dir, "images")
	writeImages(t, images, map[string]int{"val": 20})
	val := filepath.Join(images, "val")
	old := noted(t, []string{"finetune", "--eval", r.classifier, "--data", val, "--json"}, "beit finetune --eval MODEL is called beit eval MODEL now")
	if now := mustRun(t, "eval", r.classifier, "--data", val, "--json"); now != old {
		t.Errorf("--eval says %s, beit eval %s", old, now)
	}
	old = unmeasured(noted(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:60", "--plan", "--accum", "4"}, tiny),
		"--plan is called --dry-run now", "--accum is called --accumulation-steps now"))
	if now := unmeasured(noted(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:60", "--dry-run", "--accumulation-steps=4"}, tiny))); now != old {
		t.Errorf("--plan says\n%s--dry-run\n%s", old, now)
	}
	args := tinyComparison("procedural:80", filepath.Join(dir, "tables"))
	args[0] = "ablate"
	table := []string{"--table", "aggregation", "--heads", "0"}
	rows := noted(t, slices.Concat(args, table), "beit ablate is called beit compare now")

	// A folder of beit ablate is continued, and guarded against other settings.
	if err := os.Rename(filepath.Join(dir, "tables", "compare.json"), filepath.Join(dir, "tables", "ablate.json")); err != nil {
		t.Fatal(err)
	}
	args[0] = "compare"
	if again := noted(t, slices.Concat(args, table)); again != rows {
		t.Errorf("continued, the tables are %s, and were %s", again, rows)
	}
	if status, _, errOut := beitRun(t, slices.Concat(args, table, assign("seed=9"))...); status != statusUsage || !strings.Contains(errOut, "other settings") {
		t.Errorf("other settings: status %d: %s", status, errOut)
	}
}

// Old keys work in --set and --config, with one note each, and name a key that nobody mistakes.
func TestOldKeys(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "old.toml")
	text := "stage = \"pretrain\"\npreset = \"small32\"\n[data]\nupright = true\n[pretrain.model]\nearly_layer = 3\nhead_layers = 1\nshared_head = true\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	out := noted(t, []string{"config", "pretrain", "--config", file, "--set", "train.accum=4", "--set", "train.accum=2", "--set", "data.labelled=0.5"},
		"stage is called method now", "data.upright is called data.exif_transpose now", "pretrain.model.early_layer is called pretrain.model.aggregation.layer now",
		"pretrain.model.head_layers is called pretrain.model.aggregation.depth now", "pretrain.model.shared_head is called pretrain.model.aggregation.shared_head now",
		"train.accum is called train.accumulation_steps now", "data.labelled is called data.label_fraction now")
	for _, want := range []string{"accumulation_steps = 2\n", "label_fraction = 0.5\n", "exif_transpose = true\n", "[pretrain.model.aggregation]\nlayer = 3\ndepth = 1\nshared_head = true\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("the configuration lacks %q:\n%s", want, out)
		}
	}
	for old, now := range map[string]string{"teacher.hold_epochs": "dino.freeze_last_layer_epochs", "teacher.temp_epochs": "dino.warmup_teacher_temp_epochs", "teacher.model.outputs": "dino.model.outputs"} {
		noted(t, []string{"config", "dino", "--set", old + "=1024"}, old+" is called "+now+" now")
	}

	// The commands that train, continue, measure and compare tell of them too.
	dir := filepath.Join(t.TempDir(), "run")
	noted(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:60", "--out", dir}, tiny, assign("train.accum=2", "data.unreadable=0.5")),
		"train.accum is called train.accumulation_steps now", "data.unreadable is called data.max_unreadable now")
	noted(t, []string{"tokenizer", "train", "--resume", dir, "--set", "data.unreadable=0.4"}, "data.unreadable is called data.max_unreadable now")
	if _, cfg, err := model.ReadConfig(dir); err != nil || cfg.Data.MaxUnreadable != 0.4 || cfg.Train.AccumulationSteps != 2 || len(cfg.Notes) > 0 {
		t.Errorf("config.toml has %+v, notes %q, error %v", cfg.Data, cfg.Notes, err)
	}
	images := t.TempDir()
	writeImages(t, images, map[string]int{"val": 20})
	noted(t, []string{"eval", trainedRuns(t).classifier, "--data", filepath.Join(images, "val"), "--set", "data.upright=true"}, "data.upright is called data.exif_transpose now")
	noted(t, slices.Concat(tinyComparison("procedural:80", filepath.Join(t.TempDir(), "out")), []string{"--table", "aggregation", "--heads", "0"},
		assign("data.unreadable=0.5", "tokenizer:train.accum=2")), "data.unreadable is called data.max_unreadable now", "train.accum is called train.accumulation_steps now")
}
