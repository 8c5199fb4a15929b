package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/train"
)

// headerNames are the names in a header, or in the part of some output that resembles one.
func headerNames(text string) (names []string) {
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && len(names) < 8 {
			names = append(names, name)
		}
	}
	return names
}

// A run begins with a header on standard error; --dry-run prints it, as JSON too, and ends.
func TestHeader(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	args := slices.Concat([]string{"tokenizer", "train", "--data", "procedural:60", "--accumulation-steps=4", "--precision", "bf16"}, tiny)
	all := []string{"method", "device", "images", "parameters", "steps", "time", "memory", "run folder"}
	dry := mustRun(t, append(args, "--dry-run", "--out", dir)...)
	if names := headerNames(dry); !slices.Equal(names, all) || strings.Count(dry, "\n") != len(all) {
		t.Errorf("--dry-run prints\n%s", dry)
	}
	for _, part := range []string{"precision medium", "60 to train on, 12 for validation", "3 of 16 images (4 at a time) an epoch, 2 epochs", "images/s"} {
		if !strings.Contains(dry, part) {
			t.Errorf("--dry-run does not say %q:\n%s", part, dry)
		}
	}
	var p train.Preview
	if err := json.Unmarshal([]byte(mustRun(t, append(args, "--dry-run", "--json")...)), &p); err != nil || p.StepsPerEpoch != 3 || p.Model == 0 || p.Needs == 0 {
		t.Errorf("%+v, error %v", p, err)
	}
	status, _, errOut := beitRun(t, append(args, "--out", dir)...)
	if at := strings.Index(errOut, "method  "); status != 0 || at < 0 || !slices.Equal(headerNames(errOut[at:]), all) {
		t.Errorf("status %d, a run says\n%s", status, errOut)
	}
	status, _, errOut = beitRun(t, "tokenizer", "train", "--resume", dir)
	if status != 0 || !strings.Contains(errOut, "method  ") || strings.Contains(errOut, "time  ") {
		t.Errorf("status %d, a resumed run says\n%s", status, errOut)
	}
}

func TestHeaderOfLargeRun(t *testing.T) {
	p := train.Preview{
		Preset: "vqkd_encoder_base_decoder_3x768x12_clip", Device: "cpu/avx512bf16", Threads: 128, Precision: "highest", Train: 14197122, Val: 50000, Classes: 21841,
		Epochs: 1600, StepsPerEpoch: 27729, ImagesPerSecond: 2.345, Seconds: 1e9,
		Memory: train.Memory{
			Model: 16 << 30, Step: 500 << 30, Batch: 2048, AccumulationSteps: 16, Parameters: 305e6, Needs: 516 << 30, Free: 251 << 30,
		},
	}
	var out strings.Builder
	if err := printHeader(&out, p, model.Methods()[0], "runs/tokenizer"); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	p.Epochs, p.Seconds, p.ImagesPerSecond = 0, 0, 250
	out.Reset()
	printHeader(&out, p, model.Methods()[0], "")
	for _, part := range []string{"as many as the budget allows", "time        250 images/s\n", "305 million"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is not said:\n%s", part, out.String())
		}
	}
}

// What does not fit is told in one line, with flags.
func TestMemoryErrorNamesFlags(t *testing.T) {
	short := &train.MemoryError{
		Of: "machine", Needs: 32e9, Free: 23.7e9, NeedsThen: 8.7e9,
		Set: []string{"train.accumulation_steps=8", "train.checkpoint_activations=true", "data.eval.batch=16"},
	}
	got := (&app{}).advise(fmt.Errorf("run: %w", short), model.Methods()[0], "runs/x").Error()
	want := "the run needs 29.8 GiB of the machine's memory, and 22.1 GiB are free: " +
		"--accumulation-steps 8 --checkpoint-activations --set data.eval.batch=16 needs 8.1 GiB"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	short.Set = nil
	if got := (&app{}).advise(short, model.Methods()[0], "runs/x").Error(); !strings.HasSuffix(got, "need less") {
		t.Errorf("got %s", got)
	}
}
