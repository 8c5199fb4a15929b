package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// tiny makes a tokenizer for images of 16 pixels that trains in a moment.
var tiny = assign(
	"tokenizer.model.encoder.image_size=16", "tokenizer.model.encoder.width=24", "tokenizer.model.encoder.depth=1",
	"tokenizer.model.decoder.image_size=4", "tokenizer.model.decoder.width=24", "tokenizer.model.decoder.depth=1",
	"tokenizer.model.codes=8", "tokenizer.kmeans_tokens=0", "train.batch=16", "train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

// tinyMIM is a backbone for it.
var tinyMIM = assign(
	"pretrain.model.vit.image_size=16", "pretrain.model.vit.width=24", "pretrain.model.vit.depth=2", "pretrain.model.aggregation.layer=1",
	"pretrain.model.vocab=8", "pretrain.from_tokenizer=false", "pretrain.mask.rows=4", "pretrain.mask.cols=4", "pretrain.mask.count=6", "pretrain.mask.min_block=2",
	"train.batch=16", "train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

func assign(list ...string) []string {
	var args []string
	for _, s := range list {
		args = append(args, "--set", s)
	}
	return args
}

// writeImages makes folders train/ and val/ with a folder of PNG images for each class.
func writeImages(t *testing.T, dir string, counts map[string]int) {
	t.Helper()
	for part, n := range counts {
		ds := data.Procedural(n, 16, uint64(n))
		for i := range n {
			m, err := data.Decoded(ds, i)
			if err != nil {
				t.Fatal(err)
			}
			out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
			for p := range m.W * m.H {
				out.Set(p%m.W, p/m.W, color.RGBA{m.Pix[3*p], m.Pix[3*p+1], m.Pix[3*p+2], 255})
			}
			var buf bytes.Buffer
			if err := png.Encode(&buf, out); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, part, fmt.Sprintf("class%d", ds.Label(i)), fmt.Sprintf("%04d.png", i))
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, buf.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// mustRun carries out a command line that must succeed, and returns what it prints.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	status, out, errOut := beitRun(t, args...)
	if status != 0 {
		t.Fatalf("beit %s: status %d: %s", strings.Join(args, " "), status, errOut)
	}
	return out
}

// decode reads a command's JSON.
func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// TestChain goes the whole way from a folder of images to probes, through the command line alone.
func TestChain(t *testing.T) {
	dir := t.TempDir()
	images, tok, back := filepath.Join(dir, "images"), filepath.Join(dir, "tok"), filepath.Join(dir, "back")
	writeImages(t, images, map[string]int{"train": 80, "val": 30})

	out := mustRun(t, append([]string{"tokenizer", "train", "--data", images, "--out", tok, "--json"}, tiny...)...)
	done := decode[finished](t, out)
	if done.Run != tok || done.Steps != 2*(80/16) || done.Final.Kind != run.KindVal || done.Final.Values["loss_reconstruction"] <= 0 {
		t.Errorf("tokenizer: %+v", done)
	}
	report := decode[tokenizer.Report](t, mustRun(t, "tokenizer", "eval", tok, "--data", images, "--json"))
	if report.Images != 30 || report.Codes != 8 || report.Used < 1 || report.Constant <= 0 || report.KMeans >= report.Constant {
		t.Errorf("evaluation: %+v", report)
	}
	if text := mustRun(t, "tokenizer", "eval", tok, "--data", images); !strings.Contains(text, "of 8") {
		t.Errorf("evaluation as text:\n%s", text)
	}
	lines := strings.Split(strings.TrimSpace(mustRun(t, "tokenizer", "encode", tok, "--data", images, "--part", "val")), "\n")
	if len(lines) != 30 {
		t.Fatalf("%d lines of codes for 30 images", len(lines))
	}
	if one := decode[encoded](t, lines[0]); len(one.Codes) != 16 || one.Shape != [2]int{4, 4} || !strings.HasSuffix(one.Name, ".png") {
		t.Errorf("codes of an image: %+v", one)
	}

	mustRun(t, append([]string{"pretrain", "--data", images, "--tokenizer", tok, "--out", back}, tinyMIM...)...)
	for _, model := range []string{tok, back} {
		layers := decode[[]layerScore](t, mustRun(t, "probe", "linear", model, "--data", images, "--protocol", "layers", "--epochs", "2", "--batch", "40", "--json"))
		if depth := map[string]int{tok: 1, back: 2}[model]; len(layers) != depth || layers[depth-1].Block != depth {
			t.Errorf("%s by layers: %+v", model, layers)
		}
	}
	if text := mustRun(t, "probe", "linear", tok, "--data", images, "--epochs", "2", "--seeds", "1"); !strings.Contains(text, "hog") {
		t.Errorf("probe of a tokenizer:\n%s", text)
	}
	for _, kind := range []string{"linear", "knn"} {
		rows := decode[[]probed](t, mustRun(t, "probe", kind, back, "--data", images, "--json"))
		var names []string
		for _, r := range rows {
			names = append(names, r.Network+" "+r.Feature)
			if r.Top1 < 0 || r.Top1 > 1 || r.Top5 < r.Top1 {
				t.Errorf("%s: %+v", kind, r)
			}
		}
		want := "pretrained cls, pretrained mean, pretrained grid, untrained cls, untrained mean, untrained grid, " +
			"pixels mean, pixels grid, teacher hog mean, teacher hog grid"
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%s probed %s; want %s", kind, got, want)
		}
	}
	if text := mustRun(t, "probe", "linear", back, "--data", images, "--alone", "--epochs", "1", "--seeds", "1", "--pool", "cls,mean"); strings.Count(text, "\n") != 3 {
		t.Errorf("probe of the backbone alone:\n%s", text)
	}
	if status, o, e := beitRun(t, "probe", "knn", back, "--data", images, "--tokenizer", back); status != 1 || o != "" || !strings.Contains(e, "wanted is a tokenizer") {
		t.Errorf("probe beside a tokenizer that is none: status %d, %q", status, e)
	}
	strange := filepath.Join(dir, "strange") // a folder of other classes
	for _, class := range []string{"a", "b"} {
		if err := os.CopyFS(filepath.Join(strange, class), os.DirFS(filepath.Join(images, "val"))); err != nil {
			t.Fatal(err)
		}
	}
	if status, o, e := beitRun(t, "probe", "knn", back, "--data", filepath.Join(images, "train"), "--eval-data", strange); status != 1 || o != "" || !strings.Contains(e, `class "a"`) {
		t.Errorf("probe with other classes: status %d, %q", status, e)
	}
	checkEmbed(t, images, tok, back)
	checkSimilar(t, images, tok, back)
	checkInspect(t, tok, back)
	checkResume(t, images, tok, back)
}

// tinyTeacher is a teacher for the same patches.
var tinyTeacher = assign(
	"dino.model.vit.image_size=16", "dino.model.vit.width=24", "dino.model.vit.depth=2", "dino.model.hidden=16",
	"dino.model.bottleneck=8", "dino.model.outputs=16", "dino.crops.small=2", "dino.crops.small_size=8", "train.batch=16",
	"train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

// tinyMAE is a masked autoencoder of the same patches.
var tinyMAE = assign(
	"mae.model.vit.image_size=16", "mae.model.vit.width=24", "mae.model.vit.depth=2", "mae.model.decoder.width=16", "mae.model.decoder.depth=1",
	"mae.model.decoder.heads=2", "train.batch=16", "train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

// tinyCAE is a context autoencoder of the same patches.
var tinyCAE = assign(
	"cae.model.vit.image_size=16", "cae.model.vit.width=24", "cae.model.vit.depth=2", "cae.model.neck.width=24", "cae.model.neck.regressor_depth=1",
	"cae.model.neck.decoder_depth=1", "train.batch=16", "train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

// tinySplitMask learns from the tiny tokenizer.
var tinySplitMask = assign(
	"splitmask.model.vit.image_size=16", "splitmask.model.vit.width=24", "splitmask.model.vit.depth=2", "splitmask.model.decoder.width=16",
	"splitmask.model.decoder.depth=1", "splitmask.model.decoder.heads=2", "train.batch=16", "train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

// TestTeacherChain trains a teacher, probes it and has it teach a tokenizer, through the command line alone.
func TestTeacherChain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	images, teacher, tok := filepath.Join(dir, "images"), filepath.Join(dir, "teacher"), filepath.Join(dir, "tok")
	writeImages(t, images, map[string]int{"train": 80, "val": 30})
	done := decode[finished](t, mustRun(t, append([]string{"pretrain", "--method", "dino", "--data", images, "--out", teacher, "--json"}, tinyTeacher...)...))
	if done.Steps != 2*(80/16) || done.Final.Kind != run.KindVal || done.Final.Values["cross_entropy"] <= 0 {
		t.Errorf("teacher: %+v", done)
	}
	if page, err := os.ReadFile(filepath.Join(teacher, "report.html")); err != nil || !bytes.Contains(page, []byte("entropy of outputs")) {
		t.Errorf("report: error %v, %d bytes", err, len(page))
	}
	var names []string
	for _, r := range decode[[]probed](t, mustRun(t, "probe", "knn", teacher, "--data", images, "--json")) {
		names = append(names, r.Network+" "+r.Feature)
	}
	if got, want := strings.Join(names, ", "), "pretrained cls, pretrained mean, pretrained grid, untrained cls, untrained mean, untrained grid, pixels mean, pixels grid"; got != want {
		t.Errorf("probed %s; want %s", got, want)
	}
	mustRun(t, append([]string{"tokenizer", "train", "--data", images, "--out", tok, "--teacher", teacher}, tiny...)...)
	rows := decode[[]probed](t, mustRun(t, "probe", "knn", teacher, "--data", images, "--tokenizer", tok, "--json"))
	if last := rows[len(rows)-1]; last.Network != "teacher run" || last.Feature != "grid" {
		t.Errorf("the tokenizer's teacher beside: %+v", last)
	}
	model := filepath.Join(teacher, "teacher.safetensors")
	before, err := os.ReadFile(model)
	if err == nil {
		err = os.Remove(model)
	}
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, "pretrain", "--method", "dino", "--resume", teacher)
	if after, err := os.ReadFile(model); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a resumed run wrote another model (%v)", err)
	}
	foreign := filepath.Join(dir, "foreign.pth")
	mustRun(t, "convert", model, foreign, "--to", "official")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"ViT-B-16.pt: did not come: there is no network", []string{"--teacher", "clip"}},
		{"wanted is a CLIP", []string{"--teacher", "clip", "--teacher-file", model}},
		{"no multiple of 64", []string{"--teacher", "dino", "--teacher-file", foreign}},
	} {
		args := append(append([]string{"tokenizer", "train", "--data", images, "--out", filepath.Join(dir, "other")}, c.args...), tiny...)
		if status, _, e := beitRun(t, args...); status != 1 || !strings.Contains(e, c.want) {
			t.Errorf("%v: status %d, %q, want %q", c.args, status, e, c.want)
		}
	}
	// A run's own file tells how many heads its network has.
	mustRun(t, append([]string{"tokenizer", "train", "--data", images, "--out", filepath.Join(dir, "other"), "--teacher", "dino", "--teacher-file", model}, tiny...)...)
}

func checkInspect(t *testing.T, tok, back string) {
	t.Helper()
	for _, dir := range []string{tok, back} {
		if page, err := os.ReadFile(filepath.Join(dir, "report.html")); err != nil || !bytes.Contains(page, []byte("<caption>Validation</caption>")) {
			t.Errorf("report of %s: error %v, %d bytes", dir, err, len(page))
		}
	}
	curves := filepath.Join(t.TempDir(), "curves.png")
	info := decode[model.RunInfo](t, mustRun(t, "inspect", back, "--json", "--curves", curves))
	if info.Method != pretrain.Method.Name || info.Model == "" || info.Validation == nil || len(info.Checkpoints) == 0 {
		t.Errorf("inspect of a run: %+v", info)
	}
	if stat, err := os.Stat(curves); err != nil || stat.Size() < 1000 {
		t.Errorf("curves: %v, %v", stat, err)
	}
	file := decode[fileInfo](t, mustRun(t, "inspect", info.Model, "--json"))
	if file.Numbers < 1000 || len(file.Tensors) < 10 {
		t.Errorf("inspect of a file: %d numbers in %d tensors", file.Numbers, len(file.Tensors))
	}
	if text := mustRun(t, "inspect", filepath.Join(tok, "tokenizer.safetensors")); !strings.Contains(text, "quantize.embedding.weight") {
		t.Errorf("inspect as text:\n%s", text)
	}
	early := t.TempDir() // a run that was stopped before its first step
	if err := os.CopyFS(early, os.DirFS(tok)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tokenizer.safetensors", "metrics.jsonl", "checkpoints"} {
		if err := os.RemoveAll(filepath.Join(early, name)); err != nil {
			t.Fatal(err)
		}
	}
	if text := mustRun(t, "inspect", early); !strings.Contains(text, "beit tokenizer train --resume "+early) {
		t.Errorf("inspect of a run without metrics:\n%s", text)
	}
	if text := mustRun(t, "inspect", tok); !strings.Contains(text, "loss_reconstruction") {
		t.Errorf("inspect of a run as text:\n%s", text)
	}
}

// checkResume continues a finished run, which changes nothing, and refuses another configuration.
func checkResume(t *testing.T, images, tok, back string) {
	t.Helper()
	model := filepath.Join(back, "backbone.safetensors")
	before, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(model); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "pretrain", "--resume", back, "--data", images, "--tokenizer", tok)
	after, err := os.ReadFile(model)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a resumed run wrote another model (%v)", err)
	}
	status, _, e := beitRun(t, "pretrain", "--resume", back, "--set", "train.lr=1")
	if status != 1 || !strings.Contains(e, "train.lr") {
		t.Errorf("resumed with another rate: status %d, %q", status, e)
	}
	status, _, e = beitRun(t, "tokenizer", "train", "--resume", back)
	if status != 2 || !strings.Contains(e, "beit pretrain --resume "+back) {
		t.Errorf("resumed as a run of another method: status %d, %q", status, e)
	}
	status, _, e = beitRun(t, "pretrain", "--resume", back, "--set", "train.epoch=1")
	if status != 2 || !strings.Contains(e, "did you mean train.epochs?") {
		t.Errorf("resumed with an unknown key: status %d, %q", status, e)
	}
	status, _, e = beitRun(t, append([]string{"pretrain", "--data", images, "--tokenizer", tok, "--out", back}, tinyMIM...)...)
	if status != 1 || !strings.Contains(e, "already holds a run") {
		t.Errorf("into a folder that holds a run: status %d, %q", status, e)
	}
}
