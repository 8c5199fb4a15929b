package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
)

// A fine-tuning run keeps the model of its best epoch from the beginning, and is not finished for all that.
func TestInspectFinetune(t *testing.T) {
	dir := copyOf(t, trainedRuns(t).classifier)
	finished, best := filepath.Join(dir, "classifier.safetensors"), filepath.Join(dir, "best.safetensors")
	info := decode[model.RunInfo](t, mustRun(t, "inspect", dir, "--json"))
	if info.Model != finished || info.Best != best {
		t.Errorf("of a finished run: model %q, best %q", info.Model, info.Best)
	}
	if s := info.Status; s == nil || s.State != run.StateFinished || s.Step != 6 || s.Total != 6 {
		t.Errorf("of a finished run: %+v", info.Status)
	}
	text := mustRun(t, "inspect", dir)
	for _, want := range []string{`(?m)^status +finished, step 6 of 6, process \d+ on `, `(?m)^model +` + regexp.QuoteMeta(finished) + `$`, `(?m)^best model +` + regexp.QuoteMeta(best) + `$`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}

	if err := os.Remove(finished); err != nil {
		t.Fatal(err)
	}
	status := run.Status{State: run.StateInterrupted, Step: 4, Total: 6, Epoch: 2, Epochs: 2}
	if err := run.WriteStatus(dir, status); err != nil {
		t.Fatal(err)
	}
	info = decode[model.RunInfo](t, mustRun(t, "inspect", dir, "--json"))
	if info.Model != "" || info.Best != best {
		t.Errorf("of a run under way: model %q, best %q", info.Model, info.Best)
	}
	text = mustRun(t, "inspect", dir)
	for _, want := range []string{`(?m)^status +interrupted, step 4 of 6, `, `(?m)^model +not finished: continue with beit finetune --resume ` + regexp.QuoteMeta(dir) + `$`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// What is odd about a run folder is told, and the rest shown.
func TestInspectDamaged(t *testing.T) {
	dir := copyOf(t, trainedRuns(t).tokenizer)
	status, config := filepath.Join(dir, run.StatusFile), filepath.Join(dir, run.ConfigFile)
	if err := os.WriteFile(status, bytes.Replace(readFile(t, status), []byte("finished"), []byte("finisher"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.Replace(readFile(t, config), []byte("procedural:60"), []byte("procedural:61"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := beitRun(t, "inspect", dir)
	if code != 0 || strings.Contains(out, "\nstatus") || strings.Count(errOut, "warning: ") != 2 || !strings.Contains(errOut, "status.json") ||
		!strings.Contains(errOut, "config.toml was changed") {
		t.Errorf("status %d, output\n%s\nmessages\n%s", code, out, errOut)
	}
}

// Every method's run ends with a report, and its curves can be drawn.
func TestReports(t *testing.T) {
	for _, m := range model.Methods() {
		dir := trainedRuns(t).of(m)
		page := string(readFile(t, filepath.Join(dir, "report.html")))
		for _, want := range []string{"<caption>Validation</caption>", m.Name, m.Metrics[0].Label} {
			if !strings.Contains(page, want) {
				t.Errorf("the report of %s lacks %q", m.Name, want)
			}
		}
		curves := filepath.Join(t.TempDir(), "curves.png")
		mustRun(t, "inspect", dir, "--curves", curves)
		drawn, err := png.Decode(bytes.NewReader(readFile(t, curves)))
		if err != nil || drawn.Bounds().Dx() < 300 {
			t.Errorf("curves of %s: %v", m.Name, err)
		}
	}
}
