package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// Runs are listed with their states. Damaged and half-written folders have a line like the others, and folders of other programs have none.
func TestRunsList(t *testing.T) {
	root := t.TempDir()
	from := trainedRuns(t)
	add := func(name, of string, damage func(dir string) error) {
		dir := filepath.Join(root, name)
		if err := os.CopyFS(dir, os.DirFS(of)); err != nil {
			t.Fatal(err)
		}
		if damage == nil {
			return
		}
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) func(dir string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
	}
	remove := func(name string) func(dir string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	status := func(state run.State) func(dir string) error {
		return func(dir string) error {
			return run.WriteStatus(dir, run.Status{State: state, Step: 7, Total: 14, Epoch: 2, Epochs: 2, Error: "no room"})
		}
	}
	add("a/tokenizer", from.tokenizer, nil)
	add("a/b/classifier", from.classifier, nil)
	add("backbone", from.backbone, status(run.StateInterrupted))
	add("failed", from.dino, status(run.StateFailed))
	add("killed", from.dino, status(run.StateRunning))
	killed, err := run.ReadStatus(filepath.Join(root, "killed")) // still running where folders have no locks
	if err != nil {
		t.Fatal(err)
	}
	add("no config", from.tokenizer, remove(run.ConfigFile))
	add("no status", from.tokenizer, remove(run.StatusFile))
	add("old", from.tokenizer, func(dir string) error {
		return errors.Join(remove(run.StatusFile)(dir), remove(tokenizer.Method.ModelFile)(dir))
	})
	add("odd config", from.tokenizer, write(run.ConfigFile, "method = 3\x00"))
	add("odd metrics", from.tokenizer, write(run.MetricsFile, "{}\n"))
	add("odd status", from.tokenizer, write(run.StatusFile, "{"))
	for _, name := range []string{"site", "empty"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := write("config.toml", "baseURL = 'https://example.org/'\n")(filepath.Join(root, "site")); err != nil {
		t.Fatal(err)
	}
	var list []model.Listed
	out := mustRun(t, "runs", root, "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]model.Listed{}
	for _, l := range list {
		name, err := filepath.Rel(root, l.Dir)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.ToSlash(name)] = l
	}
	for name, want := range map[string]struct {
		state   run.State
		metric  string
		problem string
	}{
		"a/tokenizer": {run.StateFinished, "reconstruction loss", ""}, "a/b/classifier": {run.StateFinished, "top-1", ""},
		"backbone": {run.StateInterrupted, "MIM loss", "no room"}, "failed": {run.StateFailed, "cross-entropy", "no room"},
		"killed": {killed.State, "cross-entropy", "no room"}, "no config": {model.StateDamaged, "", "config.toml"},
		"no status": {run.StateFinished, "reconstruction loss", ""}, "old": {run.StateInterrupted, "reconstruction loss", ""},
		"odd config": {model.StateDamaged, "", "config.toml"}, "odd metrics": {model.StateDamaged, "", "metrics.jsonl"},
		"odd status": {model.StateDamaged, "reconstruction loss", "status.json"},
	} {
		l := got[name]
		if l.State != want.state || l.Metric != want.metric || !strings.Contains(l.Problem, want.problem) || want.problem == "" && l.Problem != "" ||
			l.Bytes == 0 || l.Updated.IsZero() || (l.Metric == "") != (l.Value == nil) {
			t.Errorf("%s: %+v, want %+v", name, l, want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also listed: %v", got)
	}
	text := mustRun(t, "runs", root)
	for _, want := range []string{"finished     tokenizer  2/2           reconstruction loss 0.", "interrupted  pretrain   1/2", "odd status: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if out := mustRun(t, "runs", filepath.Join(root, "empty")); !strings.Contains(out, "there are no runs in") {
		t.Errorf("an empty folder: %q", out)
	}
}
