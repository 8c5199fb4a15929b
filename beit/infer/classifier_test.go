package infer_test

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

func TestClassifier(t *testing.T) {
	opened, err := infer.Open(runs.classifier)
	if err != nil {
		t.Fatal(err)
	}
	c := opened.(*infer.Classifier)
	defer c.Close()
	ds := data.Procedural(40, 16, 1)
	if d := cmp.Diff(ds.Classes(), c.Names()); d != "" {
		t.Error(d)
	}
	var images []image.Image
	for i := range ds.Len() {
		m, _ := data.Decoded(ds, i)
		p := image.NewRGBA(image.Rect(0, 0, 16, 16))
		for j := range 256 {
			p.SetRGBA(j%16, j/16, color.RGBA{m.Pix[3*j], m.Pix[3*j+1], m.Pix[3*j+2], 255})
		}
		images = append(images, p)
	}
	batch, err := c.ClassifyBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range c.ClassifyDataset(t.Context(), ds, nil) {
		if err != nil {
			t.Fatal(err)
		}
		alone, err := c.Classify(images[item.Index])
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(alone, batch[item.Index]) || !cmp.Equal(alone, item.Value) {
			t.Fatalf("image %d: alone %v, in a batch %v, in a dataset %v", item.Index, alone, batch[item.Index], item.Value)
		}
		sum := 0.0
		for i, k := range alone {
			sum += float64(k.Probability)
			if i > 0 && k.Probability > alone[i-1].Probability || k.Name != ds.Classes()[k.Index] {
				t.Fatalf("image %d: %v", item.Index, alone)
			}
		}
		if len(alone) != 10 || math.Abs(sum-1) > 1e-5 {
			t.Fatalf("image %d: %d classes, probabilities sum to %g", item.Index, len(alone), sum)
		}
	}
	if _, err := infer.OpenClassifier(runs.backbone, infer.Options{}); err == nil || !strings.Contains(err.Error(), "no head") {
		t.Errorf("a backbone: %v", err)
	}
}
