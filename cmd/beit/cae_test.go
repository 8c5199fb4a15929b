package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// A context autoencoder is a backbone: it is reported, probed, embedded, exported, and classifiers and segmenters start from it.
func TestContextAutoencoderIsABackbone(t *testing.T) {
	r, dir := trainedRuns(t).cae, t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	mustRun(t, "report", r, "--out", at("report.html"))
	page := readFile(t, at("report.html"))
	for _, want := range []string{"Cross-entropy", "image-mean baseline", "Masked patches", "8 of 16 patches are masked", "predicts of masked patches has no image"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if out := mustRun(t, "inspect", filepath.Join(r, "context.safetensors")); !strings.Contains(out, "context autoencoder") {
		t.Errorf("inspect: %s", out)
	}
	mustRun(t, "probe", "linear", r, "--epochs", "2")
	mustRun(t, "probe", "knn", r)
	mustRun(t, "embed", r, "procedural:12", "--out", at("embeddings.npy"))
	mustRun(t, "convert", r, at("encoder.pth"), "--to", "official")
	mustRun(t, append([]string{"finetune", "--init-from", r, "--data", "procedural:40", "--out", at("classifier"), "--set", "finetune.model.rel_pos=block"},
		assign("train.batch=8", "train.epochs=1", "train.warmup_epochs=0")...)...)
	mustRun(t, append([]string{"segment", "train", "--init-from", r, "--data", "procedural:40", "--out", at("segmenter"), "--preset", "tiny32"},
		assign("train.batch=8", "train.epochs=1", "train.warmup_epochs=0", "segment.model.head_channels=8", "segment.model.aux_channels=6")...)...)
}
