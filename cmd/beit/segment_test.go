package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// tinySegmenter makes a segmenter that trains in a moment.
var tinySegmenter = assign(
	"segment.model.vit.image_size=32", "segment.model.vit.width=32", "segment.model.vit.heads=2", "segment.model.vit.depth=2",
	"segment.model.head_channels=8", "train.batch=16", "train.epochs=2", "train.warmup_epochs=0", "log.every=2",
)

// writeScene writes an image of a 5:1 aspect.
func writeScene(t *testing.T, path string) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 100, 20))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 7)
	}
	if err := writePNG(path, m); err != nil {
		t.Fatal(err)
	}
}

// writeMasks writes the masks of the images that writeImages writes for one part of n images.
func writeMasks(t *testing.T, dir string, n int) {
	t.Helper()
	ds := data.Procedural(n, 16, uint64(n))
	for i := range n {
		s, err := ds.Sample(i)
		if err != nil {
			t.Fatal(err)
		}
		m := image.NewGray(image.Rect(0, 0, s.Mask.W, s.Mask.H))
		copy(m.Pix, s.Mask.Class)
		if err := writePNG(filepath.Join(dir, fmt.Sprintf("class%d", ds.Label(i)), fmt.Sprintf("%04d.png", i)), m); err != nil {
			t.Fatal(err)
		}
	}
}

// A segmenter is trained, measured as its run measured it, and writes masks, colours, overlays and areas of an image that is five times as wide as high.
func TestSegment(t *testing.T) {
	dir := t.TempDir()
	run := filepath.Join(dir, "run")
	mustRun(t, "segment", "train", "--preset", "tiny32", "--data", "procedural:8", "--epochs", "1", "--batch-size", "4", "--out", run, "--image-size", "32",
		"--head-channels", "8", "--set", "segment.model.vit.width=32", "--set", "segment.model.vit.heads=2", "--set", "segment.model.vit.depth=2")
	got := decode[segmented](t, mustRun(t, "segment", "eval", run, "--json", "--flip", "--scales", "1,1.5"))
	if got.Images != 1 || len(got.Classes) != 6 || got.Classes[0].Name != "ground" || len(got.Taps) != 4 || !(got.Pixels >= 0 && got.Pixels <= 1) {
		t.Errorf("%+v", got)
	}
	scene, out := filepath.Join(dir, "scene.png"), filepath.Join(dir, "out")
	writeScene(t, scene)
	mustRun(t, "segment", "predict", run, scene, "--out", out, "--min-confidence", "1")
	areas, err := os.ReadFile(filepath.Join(out, areasFile))
	if err != nil || !strings.HasPrefix(string(areas), "image,ground,disc,square,") || strings.Count(string(areas), "\n") != 2 {
		t.Errorf("areas %q, error %v", areas, err)
	}
	found, err := filepath.Glob(filepath.Join(out, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]color.Model{idsFolder: color.GrayModel, overlaysFolder: color.RGBAModel} {
		path := ""
		for _, f := range found {
			if filepath.Base(filepath.Dir(f)) == folder {
				path = f
			}
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(file)
		file.Close()
		if err != nil || m.Bounds().Size() != image.Pt(100, 20) || m.ColorModel() != want {
			t.Fatalf("%s: %v, error %v", folder, m.Bounds(), err)
		}
		if g, ok := m.(*image.Gray); ok && g.Pix[0] != ignoredID { // no class is certain
			t.Errorf("pixel %d", g.Pix[0])
		}
	}
	for args, want := range map[string]string{
		"segment eval " + run + " --scales 0":                                             "above 0",
		"segment eval " + run + " --taps 0,1":                                             "must be 4 numbers",
		"segment eval " + run + " --whole --scales 1":                                     "exclude each other",
		"segment predict " + run + " " + scene + " --out " + out + "x --min-confidence 2": "must be in [0, 1]",
		"segment train --data procedural:8 --head other":                                  "upernet, linear",
		"segment train --data procedural:8 --freeze-backbone":                             "name the backbone in init_from",
	} {
		if status, _, errOut := beitRun(t, strings.Fields(args)...); status == statusOK || !strings.Contains(errOut, want) {
			t.Errorf("beit %s: status %d, %q, want %q", args, status, errOut, want)
		}
	}
}
