package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page of a run is where the command says, and that of a folder of runs has all of them.
func TestReport(t *testing.T) {
	runs := trainedRuns(t)
	name := filepath.Join(t.TempDir(), "page.html")
	if out := mustRun(t, "report", runs.backbone, "--images", "4", "--out", name); out != name+"\n" {
		t.Errorf("printed %q", out)
	}
	page := string(readFile(t, name))
	for _, want := range []string{"2 runs, each after those that it comes from", `<h2 id="run-1">tokenizer</h2>`, "Masked patches", "draws of the augmentation"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	own := copyOf(t, runs.classifier)
	if err := os.Remove(filepath.Join(own, "report.html")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "report", filepath.Join(own, "classifier.safetensors"), "--images", "0")
	if page := string(readFile(t, filepath.Join(own, "report.html"))); !strings.Contains(page, "A run of beit finetune, preset small32: finished.") || strings.Contains(page, "data:image/") {
		t.Error("with --images 0, not the page of the run, or it has images")
	}
	mustRun(t, "report", filepath.Dir(runs.tokenizer), "--images", "0", "--out", name)
	if got, want := strings.Count(string(readFile(t, name)), "<section aria-labelledby"), len(runs.commands()); got != want {
		t.Errorf("%d of %d runs are on the page of their folder", got, want)
	}
}
