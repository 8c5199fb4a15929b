package experiment_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// TestQuickstart goes through two rounds with a handful of images, and a second time through what is there then.
func TestQuickstart(t *testing.T) {
	defer experiment.ShrinkQuickstart()()
	dir := filepath.Join(t.TempDir(), "quick")
	rounds, err := experiment.Quickstart(t.Context(), experiment.Env{}, dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(rounds) != 2 {
		t.Fatalf("%d rounds", len(rounds))
	}
	teachers := []string{"hog", "run"}
	for i, r := range rounds {
		if r.Tokenizer.Codes != 16 || r.Tokenizer.Reconstruction <= 0 || r.Pretraining["loss_mim"] <= 0 || r.Pretraining["unigram_entropy"] <= 0 {
			t.Errorf("round %d: %+v", i+1, r)
		}
		var probed []string
		for _, p := range r.Probes {
			probed = append(probed, p.Network+" "+p.Feature)
		}
		want := "untrained cls, untrained mean, pixels mean, teacher " + teachers[i] + " mean, pretrained cls, pretrained mean"
		if got := strings.Join(probed, ", "); got != want {
			t.Errorf("round %d probed %s; want %s", i+1, got, want)
		}
		if _, err := os.Stat(filepath.Join(r.TokenizerFolder, "report.html")); err != nil {
			t.Error(err)
		}
	}

	var heard warnings
	again, err := experiment.Quickstart(t.Context(), experiment.Env{Reporter: &heard}, dir, 1)
	if err != nil || len(again) != 1 {
		t.Fatal(again, err)
	}
	if len(heard.list) > 0 {
		t.Errorf("warned of %q", heard.list)
	}
	var text bytes.Buffer
	if err := experiment.PrintRounds(&text, again); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Round 1", "best constant", "of 16", "unigram entropy", "shuffled [CLS]", "pixels", "teacher hog", dir} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
	var before bytes.Buffer
	if err := experiment.PrintRounds(&before, rounds[:1]); err != nil || before.String() != text.String() {
		t.Errorf("the second time shows other figures:\n%s\nbefore\n%s", text.String(), before.String())
	}

	// A finished run that is taken as it is, though its configuration was changed, is told.
	name := filepath.Join(dir, "round-1", "backbone", run.ConfigFile)
	config, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Replace(config, []byte("procedural:64"), []byte("procedural:65"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := experiment.Quickstart(t.Context(), experiment.Env{Reporter: &heard}, dir, 1); err != nil {
		t.Fatal(err)
	}
	if len(heard.list) != 1 || !strings.HasPrefix(heard.list[0], name+" was changed") {
		t.Errorf("warned of %q", heard.list)
	}
}

// warnings is a reporter that keeps what it is warned of.
type warnings struct {
	method.Silent
	list []string
}

func (w *warnings) Record(run.Record)   {}
func (w *warnings) Warning(text string) { w.list = append(w.list, text) }
