package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickstart goes through two rounds with a handful of pictures, and a second time through what is there then.
func TestQuickstart(t *testing.T) {
	tok, mim := quickTokenizer, quickPretrain
	defer func() { quickTokenizer, quickPretrain = tok, mim }()
	few := []string{"data.path=procedural:64", "train.epochs=1", "train.warmup_epochs=0"}
	quickTokenizer = append(append(tok[:len(tok):len(tok)], few...), "tokenizer.model.codes=16", "tokenizer.kmeans_tokens=0")
	quickPretrain = append(append(mim[:len(mim):len(mim)], few...), "pretrain.model.vocab=16")

	dir := filepath.Join(t.TempDir(), "quick")
	rounds := decode[[]quickRound](t, mustRun(t, "quickstart", "--rounds", "2", "--out", dir, "--json"))
	if len(rounds) != 2 {
		t.Fatalf("%d rounds", len(rounds))
	}
	teachers := []string{"hog", "run"}
	for i, r := range rounds {
		if r.Tokenizer.Codes != 16 || r.Tokenizer.Reconstruction <= 0 || r.Pretraining["loss_1"] <= 0 || r.Pretraining["unigram_entropy"] <= 0 {
			t.Errorf("round %d: %+v", i+1, r)
		}
		var probed []string
		for _, p := range r.Probes {
			probed = append(probed, p.Network+" "+p.Feature)
		}
		want := "untrained cls, untrained mean, none pixels, " + teachers[i] + " teacher, pretrained cls, pretrained mean"
		if got := strings.Join(probed, ", "); got != want {
			t.Errorf("round %d probed %s; want %s", i+1, got, want)
		}
		if _, err := os.Stat(filepath.Join(r.TokenizerFolder, "report.html")); err != nil {
			t.Error(err)
		}
	}

	text := mustRun(t, "quickstart", "--out", dir)
	for _, want := range []string{"Round 1", "best constant", "of 16", "entropy of the codes", "raw pixels", dir} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}
