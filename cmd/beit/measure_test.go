package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Commands that measure take images and split from the model's run, from whatever folder; they give the same figures where the images are named, and say
// so where those of the run are gone.
func TestMeasureOnTheRunsImages(t *testing.T) {
	project := t.TempDir()
	t.Chdir(project)
	writeImages(t, "images", map[string]int{"all": 60})
	at := func(name string) string { return filepath.Join(project, name) }
	on := []string{"--data", "images", "--val-fraction", "0.25", "--seed", "5"}
	mustRun(t, append(append([]string{"tokenizer", "train", "--out", "tokenizer"}, on...), tiny...)...)
	mustRun(t, append(append([]string{"pretrain", "--tokenizer", "tokenizer", "--out", "backbone"}, on...), tinyMIM...)...)
	mustRun(t, append(append([]string{"finetune", "--out", "classifier"}, on...), tinyClassifier...)...)
	t.Chdir(t.TempDir())

	commands := [][]string{
		{"eval", "--json", at("classifier")}, {"tokenizer", "eval", "--json", at("tokenizer")},
		{"probe", "knn", "--json", at("backbone")}, {"probe", "linear", "--json", "--epochs", "2", "--pool", "mean", at("backbone")},
	}
	told := "the images are those of the model's run: " + at("images") + ", a share of 0.25 set aside for validation\n"
	for _, args := range commands {
		status, want, errOut := beitRun(t, args...)
		if status != statusOK || !strings.Contains(errOut, told) {
			t.Errorf("%q: status %d, %s", args, status, errOut)
		}
		for _, images := range [][]string{{at("images")}, {"--data", at("images")}, {at("images"), "--val-fraction", "0.25"}} {
			status, got, errOut := beitRun(t, append(args[:len(args):len(args)], images...)...)
			if d := cmp.Diff(want, got); status != statusOK || d != "" || strings.Contains(errOut, told) {
				t.Errorf("%q on %q: status %d, %s%s", args, images, status, errOut, d)
			}
		}
	}
	if _, text, _ := beitRun(t, commands[0]...); !strings.Contains(text, `"images": 15`) {
		t.Errorf("of 60 images a quarter is set aside, measured are\n%s", text)
	}

	if err := os.Rename(at("images"), at("away")); err != nil {
		t.Fatal(err)
	}
	for _, args := range commands {
		status, _, errOut := beitRun(t, args...)
		want := "beit: the images of the model's run: " + at("images") + ": no such folder or file: file does not exist; name images after the model\n"
		if status != statusFailure || errOut != want {
			t.Errorf("%q without its images: status %d, %q, want %q", args, status, errOut, want)
		}
		if status, _, errOut := beitRun(t, append(args[:len(args):len(args)], at("away"), "--val-fraction", "0.25")...); status != statusOK {
			t.Errorf("%q on named images: status %d, %s", args, status, errOut)
		}
	}
}

// A run that was moved together with its images measures on those, and says so.
func TestMeasureAfterAMove(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old")
	writeImages(t, filepath.Join(old, "images"), map[string]int{"train": 40, "val": 20})
	mustRun(t, append([]string{"tokenizer", "train", "--data", filepath.Join(old, "images"), "--out", filepath.Join(old, "runs", "tokenizer")}, tiny...)...)
	now := filepath.Join(t.TempDir(), "now")
	if err := os.Rename(old, now); err != nil {
		t.Fatal(err)
	}
	status, _, errOut := beitRun(t, "tokenizer", "eval", filepath.Join(now, "runs", "tokenizer"))
	want := "data.path: " + filepath.Join(old, "images") + " is not there; taken is " + filepath.Join(now, "images") + "\n"
	if status != statusOK || !strings.Contains(errOut, want) {
		t.Errorf("status %d, %s, want %s", status, errOut, want)
	}
	if status, _, errOut = beitRun(t, "tokenizer", "eval", filepath.Join(now, "runs", "tokenizer"), "procedural:30"); status != statusOK || strings.Contains(errOut, "data.path") {
		t.Errorf("on other images: status %d, %s", status, errOut)
	}
}

// A model of no run has no images of its own.
func TestMeasureWithoutARun(t *testing.T) {
	status, _, errOut := beitRun(t, "eval", classifierFile(t, "model.pth", 1))
	if status != statusUsage || !strings.Contains(errOut, "no run says which images it learned from: name the images after the model") {
		t.Errorf("status %d, %s", status, errOut)
	}
}
