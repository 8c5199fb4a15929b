package infer_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/tensor"
)

// deepImage has four channels of 16 bits. Its class is in the fourth one, and below one level of 8 bits.
func deepImage(class int, r *tensor.Rand) *image.NRGBA64 {
	m := image.NewNRGBA64(image.Rect(0, 0, 32, 16))
	for y := range 16 {
		for x := range 32 {
			noise := uint16(30000 + r.IntN(400))
			c := color.NRGBA64{R: noise, G: noise, B: noise, A: 30000}
			if class == 1 && y < 8 {
				c.A += 120
			}
			m.SetNRGBA64(x, y, c)
		}
	}
	return m
}

// deepFolder has such images as PNG files, for training and validation.
func deepFolder(t *testing.T) string {
	t.Helper()
	dir, r := t.TempDir(), tensor.NewRand(11)
	for part, n := range map[string]int{"train": 16, "val": 8} {
		for i := range 2 * n {
			path := filepath.Join(dir, part, fmt.Sprint("class", i%2), fmt.Sprintf("%02d.png", i))
			writeImage(t, path, deepImage(i%2, r))
		}
	}
	return dir
}

// writeImage writes a PNG file, and its folder.
func writeImage(t *testing.T, path string, m image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

// TestOblongImagesOfFourChannels trains on images that nothing but 16 bits of the fourth channel tells apart, and uses the model by files and by images.
func TestOblongImagesOfFourChannels(t *testing.T) {
	dir := deepFolder(t)
	run := runtest.Folder(t, finetune.Method, "data.path="+dir, "finetune.model.image_size=16x32", "finetune.model.channels=4",
		"finetune.norm=0.46,0.46,0.46,0.4587/0.003,0.003,0.003,0.001", "finetune.rand_magnitude=0", "data.jitter=0", "data.augment=none", "finetune.erase=0",
		"train.epochs=12", "train.lr=0.003", "finetune.model.drop_path=0")
	c, err := infer.OpenClassifier(run, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.ImageSize() != 16 || c.ImageWidth() != 32 || c.Channels() != 4 {
		t.Errorf("input %d x %d, %d channels", c.ImageSize(), c.ImageWidth(), c.Channels())
	}
	src, err := data.Open(filepath.Join(dir, "val"), data.DefaultLimits, data.Channels(4))
	if err != nil {
		t.Fatal(err)
	}
	right, all := 0, 0
	for item, err := range c.ClassifyDataset(t.Context(), src.Train, nil) {
		if err != nil {
			t.Fatal(err)
		}
		all++
		if item.Value[0].Index == src.Train.Label(item.Index) {
			right++
		}
		sample, err := src.Train.Sample(item.Index)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := c.Classify(sample.Image.(*data.Raster))
		if err != nil || !slices.Equal(alone, item.Value) {
			t.Errorf("%s: %v by itself, %v in the dataset: %v", item.Name, alone, item.Value, err)
		}
	}
	if all != 16 || right < 15 {
		t.Errorf("%d of %d right", right, all)
	}
	if _, err := c.Classify(image.NewGray(image.Rect(0, 0, 8, 8))); err == nil || !strings.Contains(err.Error(), "1 channels, and 4 are wanted") {
		t.Errorf("an image of another kind: %v", err)
	}
	a, err := c.Attention(deepImage(1, tensor.NewRand(1)), 1)
	if err != nil || a.Rows != 4 || a.Cols != 8 || len(a.Weights) != 2*33*33 {
		t.Errorf("attention %+v, %v", a, err)
	}

	e, err := infer.OpenEncoder(run, infer.Options{Patches: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	f, err := e.Encode(deepImage(1, tensor.NewRand(1)))
	if err != nil || len(f.Mean) != 32 || len(f.Patches) != 4*8*32 {
		t.Fatalf("features of %d and %d numbers: %v", len(f.Mean), len(f.Patches), err)
	}
	mean := 0.0
	for p := range 32 {
		mean += float64(f.Patches[p*32])
	}
	if math.Abs(mean/32-float64(f.Mean[0])) > 1e-5 {
		t.Errorf("the mean of the patches is %g, Mean has %g", mean/32, f.Mean[0])
	}
}

// A segmenter learns from the fourth channel's lower bits too, and finds the same in files and in images.
func TestSegmenterOfFourChannels(t *testing.T) {
	dir, r := t.TempDir(), tensor.NewRand(12)
	for part, n := range map[string]int{"training": 16, "validation": 4} {
		for i := range n {
			mask := image.NewGray(image.Rect(0, 0, 32, 16))
			for k := range mask.Pix[:len(mask.Pix)/2] {
				mask.Pix[k] = 1
			}
			name := fmt.Sprintf("%02d.png", i)
			writeImage(t, filepath.Join(dir, "images", part, name), deepImage(1, r))
			writeImage(t, filepath.Join(dir, "annotations", part, name), mask)
		}
	}
	run := runtest.Folder(t, segment.Method, "data.path="+dir, "segment.model.vit.channels=4", "segment.norm=0.46,0.46,0.46,0.4587/0.003,0.003,0.003,0.001",
		"segment.model.head=linear", "segment.augment.long=32", "segment.augment.short=16", "data.augment=none", "segment.augment.distort=false",
		"train.epochs=12", "train.lr=0.003", "segment.model.vit.drop_path=0", "segment.layer_decay=1")
	s, err := infer.OpenSegmenter(run, infer.SegmentOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Channels() != 4 {
		t.Errorf("%d channels", s.Channels())
	}
	src, err := data.Open(filepath.Join(dir, "images", "validation"), data.DefaultLimits, data.Channels(4))
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range s.SegmentDataset(t.Context(), src.Train, nil) {
		if err != nil {
			t.Fatal(err)
		}
		right := 0
		for i, class := range item.Value.Class {
			if (i < 32*8) == (class == 1) {
				right++
			}
		}
		if right < 450 { // of 512 pixels: half of them by chance
			t.Errorf("%s: %d pixels are right", item.Name, right)
		}
		sample, err := src.Train.Sample(item.Index)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := s.Segment(sample.Image.(*data.Raster))
		if err != nil || !slices.Equal(alone.Class, item.Value.Class) {
			t.Errorf("%s: another result by itself: %v", item.Name, err)
		}
	}
	if _, err := s.Segment(image.NewGray(image.Rect(0, 0, 8, 8))); err == nil || !strings.Contains(err.Error(), "1 channels, and 4 are wanted") {
		t.Errorf("an image of another kind: %v", err)
	}
	for _, err := range s.SegmentDataset(t.Context(), data.Procedural(1, 32, 1), nil) {
		if err == nil || !strings.Contains(err.Error(), "sees 4 channels") {
			t.Errorf("images of red, green and blue: %v", err)
		}
	}
}
