package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/infer"
)

// The flag is stronger than what the model's run did, wherever images are read.
func TestExifFlag(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	name := filepath.Join(dir, "turned.png")
	writeFile(t, name, readFile(t, "../../beit/data/testdata/pillow/turn5.png"))
	for _, args := range [][]string{
		{"predict", r.classifier, name}, {"predict", r.classifier, name, name}, {"predict", r.classifier, dir}, {"embed", r.backbone, dir},
		{"tokenizer", "encode", r.tokenizer, "--data", dir},
	} {
		run := func(more ...string) string { return mustRun(t, slices.Concat(args, more)...) }
		turned, stored, plain := run("--exif-transpose"), run("--no-exif-transpose"), run()
		if turned == stored || plain != turned { // the runs are of small presets
			t.Errorf("beit %q: turned %q, as stored %q, without the flag %q", args, turned, stored, plain)
		}
	}
	no := false
	train := runFlags{imageFlags: imageFlags{splitFlags: splitFlags{exifFlag: exifFlag{&no}}}, configFlags: configFlags{Set: []string{"train.epochs=1"}}}
	if list, err := train.assignments(finetune.Method); err != nil || !slices.Equal(list, []string{"data.exif_transpose=false", "train.epochs=1"}) {
		t.Errorf("a training assigns %q, error %v", list, err)
	}
}

// Weights of others do not say how their images were turned: they get them upright.
func TestExifOfForeignWeights(t *testing.T) {
	name := filepath.Join(t.TempDir(), "timm.safetensors")
	mustRun(t, "convert", trainedRuns(t).classifier, name, "--to", "timm")
	m, err := infer.OpenClassifier(name, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !m.Config().Data.ExifTranspose {
		t.Error("they get them as they are stored")
	}
}
