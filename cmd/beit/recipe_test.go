package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/run"
)

// scripted are the commands that a script carries out, by a program of the same name that writes its arguments down.
func scripted(t *testing.T, text string) (list [][]string) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh to read the script: ", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "beit"), []byte("#!/bin/sh\nprintf '%s\\0' \"$@\"\nprintf '\\n\\0'\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(sh)
	c.Stdin, c.Env = strings.NewReader(text), append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(out), "\n\x00"), "\n\x00") {
		list = append(list, strings.Split(strings.TrimSuffix(line, "\x00"), "\x00"))
	}
	return list
}

// A plan's commands are those of this program, and carried out in their order they train and measure: here each for a single step.
func TestRecipe(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	t.Chdir(t.TempDir())
	images := "it's \"$(mine)\""
	writeImages(t, images, map[string]int{"all": 12})
	if err := os.Mkdir("runs", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join("runs", "recipe"), 0o777); err != nil {
		t.Fatal(err)
	}
	images = filepath.Join(images, "all")
	text := mustRun(t, "--threads", "1", "recipe", "--time", "2000h", images)
	if _, err := os.Stat(filepath.Join("runs", "recipe-2")); err == nil {
		t.Error("the plan made a folder")
	}
	list := scripted(t, text)
	if len(list) != 5 {
		t.Fatalf("%d commands:\n%s", len(list), text)
	}
	for i, folder := range []string{"tokenizer", "backbone", "classifier"} {
		if out := list[i][len(list[i])-1]; out != filepath.Join("runs", "recipe-2", folder) || run.Exists(out) {
			t.Errorf("a run in %s, want one in %s that is not there yet", out, folder)
		}
		list[i] = append(list[i], assign("train.epochs=1", "train.epoch_steps=1")...)
	}
	for _, args := range list {
		if !slices.Equal(args[:2], []string{"--threads", "1"}) || !slices.Contains(args, images) {
			t.Errorf("beit %q: lacks the images or --threads", args)
		}
		parser, err := kong.New(&cli{}, helpTexts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("beit %q: %v", args, err)
		}
	}
	if t.Failed() {
		return
	}
	for _, args := range list {
		mustRun(t, args...)
	}
	if status, _, message := beitRun(t, "recipe", "--time", "2000h", "--out", "runs/recipe-2", images); status != statusUsage || !strings.Contains(message, "already holds a run") {
		t.Errorf("a second time: status %d, %s", status, message)
	}
}

// Without labels nothing is fine-tuned, and as JSON a plan has what its text has. Images may be named either way.
func TestRecipeWithoutLabels(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	t.Chdir(t.TempDir())
	writeImages(t, "images", map[string]int{"all": 10})
	flat, other := "flat", filepath.Join("images", "all", "class0")
	if err := os.Rename(filepath.Join("images", "all", "class1"), flat); err != nil {
		t.Fatal(err)
	}
	r := decode[experiment.Recipe](t, mustRun(t, "recipe", "--json", "--time", "2000h", flat, "--data", other, "--val-fraction", "0.5", "--no-exif-transpose", "--out=-x"))
	if r.Classes != 0 || len(r.Runs) != 2 || len(r.Commands) != 2 || r.ShortSide != 16 || r.Codes != 256 || r.Preset != "small32" || r.Images+r.Validation < 2 {
		t.Errorf("%+v", r)
	}
	for _, command := range r.Commands {
		want := []string{"--data", flat, "--data", other, "--val-fraction", "0.5", "--no-exif-transpose"}
		if at := slices.Index(command, "--data"); at < 0 || !slices.Equal(command[at:at+len(want)], want) || !strings.HasPrefix(command[len(command)-1], "./-x/") {
			t.Errorf("command %q, want %q in it", command, want)
		}
	}
	if r.Seconds <= 0 || r.Seconds > r.Time {
		t.Errorf("%g s of %g s", r.Seconds, r.Time)
	}
}

func TestRecipeOfTooLittleTime(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains many networks")
	}
	status, out, message := beitRun(t, "recipe", "--data", "procedural:8", "--time", "1s")
	if status != statusUsage || out != "" || !strings.Contains(message, "\nbeit: --time 1s: too little for 8 images: the smallest preset, tiny32, needs ") {
		t.Errorf("status %d, output %q, message %s", status, out, message)
	}
}
