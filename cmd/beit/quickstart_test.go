package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/experiment"
)

// TestQuickstart shows two rounds whose runs are there already. Package experiment tests how they are made.
func TestQuickstart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "quick")
	const images = "procedural:64"
	more := assign("tokenizer.model.codes=16", "train.epochs=1")
	vocab := assign("pretrain.model.vocab=16", "train.epochs=1")
	var teacher []string
	for _, round := range []string{"round-1", "round-2"} {
		tok, back := filepath.Join(dir, round, "tokenizer"), filepath.Join(dir, round, "backbone")
		mustRun(t, slices.Concat([]string{"tokenizer", "train", "--data", images, "--out", tok}, tiny, more, teacher)...)
		mustRun(t, slices.Concat([]string{"pretrain", "--data", images, "--tokenizer", tok, "--out", back}, tinyMIM, vocab)...)
		teacher = []string{"--teacher", back}
	}
	rounds := decode[[]experiment.Round](t, mustRun(t, "quickstart", "--rounds", "2", "--out", dir, "--json"))
	if len(rounds) != 2 || rounds[0].Tokenizer.Codes != 16 || rounds[1].BackboneFolder != filepath.Join(dir, "round-2", "backbone") {
		t.Fatalf("%+v", rounds)
	}
	text := mustRun(t, "quickstart", "--out", dir)
	for _, want := range []string{"Round 1", "best constant", "of 16", "unigram entropy", "pixels", dir} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var o, e bytes.Buffer
	status := execute(ctx, []string{"quickstart", "--rounds", "2", "--out", dir}, &o, &e)
	if status != statusInterrupted || !strings.Contains(e.String(), "interrupted; continue with: beit quickstart --out "+dir+" --rounds 2\n") {
		t.Errorf("interrupted while it probes: status %d, messages %q", status, e.String())
	}
	t.Chdir(t.TempDir())
	if status, _, _ := beitRun(t, "quickstart", "--rounds", "0"); status != statusUsage {
		t.Errorf("no round: status %d", status)
	}
	if _, err := os.Stat("runs"); err == nil {
		t.Error("no round, and yet a folder")
	}
}
