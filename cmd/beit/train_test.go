package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/model"
)

// A training ends with two sentences of verdict and with commands that go on from there, which work as they stand.
func TestEndOfTraining(t *testing.T) {
	from := trainedRuns(t)
	for _, m := range model.Methods() {
		dir := copyOf(t, from.of(m))
		args := append(strings.Fields(m.Command), "--resume", dir)
		var end finished
		if err := json.Unmarshal([]byte(mustRun(t, append(args, "--json")...)), &end); err != nil {
			t.Fatal(err)
		}
		text := mustRun(t, args...)
		if len(end.Verdict) != 2 || len(end.Next) == 0 || !strings.Contains(text, end.Verdict[0]+"\n"+end.Verdict[1]) {
			t.Errorf("%s: verdict %q, next %q, printed %q", m.Name, end.Verdict, end.Next, text)
		}
		for _, command := range end.Next {
			if !strings.Contains(text, "next: "+experiment.ShellLine(command)+"\n") {
				t.Errorf("%s: %q is not in %q", m.Name, command, text)
			}
			if command = command[1:]; command[0] == "eval" || command[1] == "eval" {
				mustRun(t, command...)
			} else if status, _, errOut := beitRun(t, append(command, "--help")...); status != statusOK {
				t.Errorf("%s: %q: status %d: %s", m.Name, command, status, errOut)
			}
		}
	}
}

// A training without settings takes those that suit its images, and says how to choose others; what a flag says stays.
func TestTrainingFollowsImages(t *testing.T) {
	dir := t.TempDir()
	writeImages(t, dir, map[string]int{".": 20})
	train := func(more ...string) string {
		status, _, errOut := beitRun(t, append([]string{"tokenizer", "train", "--preset", "tiny32", "--data", dir, "--dry-run"}, more...)...)
		if status != statusOK {
			t.Fatal(errOut)
		}
		return errOut
	}
	for _, want := range []string{"2 of them are set aside", "tokenizer.model.codes 64 (256)", "train.batch 16 (64)", "set these keys to choose yourself"} {
		if told := train(); !strings.Contains(told, want) {
			t.Errorf("%q is missing in %q", want, told)
		}
	}
	if told := train("--val-fraction", "0.5", "--set", "tokenizer.model.codes=99", "--set", "train.batch=5"); strings.Contains(told, "set aside") ||
		strings.Contains(told, "codes") || strings.Contains(told, "train.batch") {
		t.Errorf("chosen otherwise: %q", told)
	}
}
