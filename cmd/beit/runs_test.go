package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// tempRuns is where shared runs lie; TestMain makes and removes it.
var tempRuns string

// trained are finished runs of all methods that tests share. Nobody changes them.
type trained struct{ dino, tokenizer, backbone, cae, mae, splitmask, classifier, segmenter string }

// of is the run of a method.
func (r trained) of(m *method.Method) string {
	return map[*method.Method]string{
		dino.Method: r.dino, tokenizer.Method: r.tokenizer, pretrain.Method: r.backbone, cae.Method: r.cae, mae.Method: r.mae,
		finetune.Method: r.classifier, segment.Method: r.segmenter, splitmask.Method: r.splitmask,
	}[m]
}

// commands are the command lines of these runs, in the order in which they build on each other.
func (r trained) commands() [][]string {
	const images = "procedural:60"
	return [][]string{
		slices.Concat([]string{"pretrain", "--method", "dino", "--data", images, "--out", r.dino}, tinyTeacher),
		slices.Concat([]string{"tokenizer", "train", "--data", images, "--out", r.tokenizer}, tiny),
		slices.Concat([]string{"pretrain", "--data", images, "--tokenizer", r.tokenizer, "--out", r.backbone}, tinyMIM),
		slices.Concat([]string{"pretrain", "--method", "cae", "--data", images, "--tokenizer", r.tokenizer, "--out", r.cae}, tinyCAE),
		slices.Concat([]string{"pretrain", "--method", "mae", "--data", images, "--out", r.mae}, tinyMAE),
		slices.Concat([]string{"pretrain", "--method", "splitmask", "--data", images, "--tokenizer", r.tokenizer, "--out", r.splitmask}, tinySplitMask),
		slices.Concat([]string{"finetune", "--data", images, "--out", r.classifier}, tinyClassifier),
		slices.Concat([]string{"segment", "train", "--preset", "tiny32", "--data", images, "--out", r.segmenter}, tinySegmenter),
	}
}

var trainOnce = sync.OnceValues(func() (r trained, err error) {
	at := func(name string) string { return filepath.Join(tempRuns, name) }
	r = trained{at("dino"), at("tokenizer"), at("backbone"), at("cae"), at("mae"), at("splitmask"), at("classifier"), at("segmenter")}
	for _, args := range r.commands() {
		var out, errOut bytes.Buffer
		if status := execute(context.Background(), args, &out, &errOut); status != statusOK {
			return r, fmt.Errorf("beit %s: status %d: %s", strings.Join(args, " "), status, errOut.String())
		}
	}
	return r, nil
})

// trainedRuns returns the shared runs.
func trainedRuns(t *testing.T) trained {
	t.Helper()
	r, err := trainOnce()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// copyOf is a copy of a run folder.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(dir))
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
