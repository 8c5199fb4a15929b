package main

import (
	"bytes"
	"html"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// A masked autoencoder's run and its model rebuild images, in a PNG file and on a page; what a seed chooses stays the same.
func TestReconstruct(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	photo := filepath.Join(dir, markup("photo.jpg"))
	writeFile(t, photo, readFile(t, "../../beit/data/testdata/pillow/420.jpg"))
	name := filepath.Join(dir, "x")
	if out := mustRun(t, "reconstruct", r.mae, photo, "--out", name); out != "1 images rebuilt: "+name+".png, "+name+".html\n" {
		t.Errorf("says %q", out)
	}
	decodedPNG(t, name+".png")
	page := readFile(t, name+".html")
	for _, want := range []string{"12 of 16 patches are masked", "mean and deviation of each masked patch are the image&#39;s", html.EscapeString(markup("photo.jpg"))} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	only := func(args ...string) string {
		file := filepath.Join(dir, "only.png")
		mustRun(t, append([]string{"reconstruct", filepath.Join(r.mae, "autoencoder.safetensors"), "procedural:30", "--out", file, "--show", "3"}, args...)...)
		return string(readFile(t, file))
	}
	first := only()
	if first != only() || first == only("--seed", "2") || first == only("--mask-ratio", "0.5") {
		t.Error("the seed, or the ratio of masked patches, does not choose what is drawn")
	}
}

// A published file does not tell whether it predicts standardised patches: that is said, and a flag takes pixels as they are.
func TestReconstructPublished(t *testing.T) {
	dir := t.TempDir()
	set := nn.NewSet()
	mae.NewNetwork(set.Scope(), mae.NetworkConfig{
		ViT:     mae.Shape(beit.ViTConfig{ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 1, Heads: 1, MLPRatio: 4}),
		Decoder: mae.DecoderConfig{Width: 32, Depth: 1, Heads: 1},
	})
	set.Build(tensor.CPU(), 1, nn.Inference)
	defer set.Release()
	list := nn.Tensors(set.Params())
	published := filepath.Join(dir, "mae.pth")
	if err := state.WriteFileAtomic(published, func(w io.Writer) error { return state.WriteTorch(w, "model", list) }); err != nil {
		t.Fatal(err)
	}
	drawn := func(flags ...string) (page, said string) {
		file := filepath.Join(dir, "x.html")
		status, _, said := beitRun(t, append([]string{"reconstruct", published, "procedural:8", "--out", file}, flags...)...)
		if status != statusOK {
			t.Fatal(said)
		}
		return string(readFile(t, file)), said
	}
	assumed, said := drawn()
	if !strings.Contains(said, "--raw-pixels") || !strings.Contains(assumed, "deviation of each masked patch") {
		t.Errorf("says %q", said)
	}
	if raw, said := drawn("--raw-pixels"); strings.Contains(said, "--raw-pixels") || strings.Contains(raw, "deviation of each masked patch") || raw == assumed {
		t.Errorf("with --raw-pixels, says %q", said)
	}
}

// The report of its run shows what it makes of masked patches.
func TestReportRebuilds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	mustRun(t, "report", trainedRuns(t).mae, "--out", file)
	page := readFile(t, file)
	if !bytes.Contains(page, []byte("masked patches have the pixels that it predicts. Their mean and deviation are the image")) || !bytes.Contains(page, []byte("rebuilt</figcaption>")) {
		t.Error("the report shows no rebuilt patches")
	}
}

func TestReconstructMistakes(t *testing.T) {
	r, dir := trainedRuns(t), t.TempDir()
	photo := filepath.Join(dir, "photo.jpg")
	writeFile(t, photo, readFile(t, "../../beit/data/testdata/pillow/420.jpg"))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"no images", []string{r.mae}, 2, "name the images"},
		{"none shown", []string{r.mae, photo, "--show", "0"}, 2, "--show 0"},
		{"all masked", []string{r.mae, photo, "--mask-ratio", "0.99"}, 2, "masks 16 of 16 patches"},
		{"none masked", []string{r.mae, photo, "--mask-ratio", "0.01"}, 2, "masks 0 of 16 patches"},
		{"no ratio", []string{r.mae, photo, "--mask-ratio", "nan"}, 2, "--mask-ratio"},
		{"ratio above", []string{r.mae, photo, "--mask-ratio", "1.5"}, 2, "--mask-ratio 1.5"},
		{"pixels of a run", []string{r.mae, photo, "--raw-pixels"}, 2, "--raw-pixels"},
		{"another kind of file", []string{r.mae, photo, "--out", "x.jpg"}, 2, "--out x.jpg"},
		{"a backbone", []string{r.backbone, photo}, 1, "predicts no pixels"},
		{"a classifier", []string{r.classifier, photo}, 1, "predicts no pixels"},
		{"no model", []string{filepath.Join(dir, "gone"), photo}, 1, "gone"},
		{"no file", []string{r.mae, filepath.Join(dir, "gone.jpg")}, 1, "gone.jpg"},
	} {
		args := append([]string{"reconstruct"}, c.args...)
		if !strings.Contains(strings.Join(args, " "), "--out") {
			args = append(args, "--out", filepath.Join(dir, "x"))
		}
		status, out, e := beitRun(t, args...)
		if status != c.status || out != "" || !strings.Contains(e, c.want) || strings.Count(e, "\n") != 1 {
			t.Errorf("%s: status %d, output %q, %q; want %d, %q", c.name, status, out, e, c.status, c.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "x*")); len(left) > 0 {
		t.Errorf("failed commands left %v", left)
	}
}
