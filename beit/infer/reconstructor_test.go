package infer_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/mae"
)

// Visible patches stay as the model sees them, masked ones are predicted, and the mask of an image is always the same.
func TestReconstruct(t *testing.T) {
	dir, err := trainRun(filepath.Join(t.TempDir(), "mae"), mae.Method, []string{
		"data.path=procedural:40", "train.batch=8", "train.epochs=1", "train.warmup_epochs=0", "mae.model.vit.image_size=16", "mae.model.vit.width=32",
		"mae.model.vit.depth=2", "mae.model.vit.heads=2", "mae.model.decoder.width=16", "mae.model.decoder.depth=1", "mae.model.decoder.heads=2",
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := infer.OpenReconstructor(dir, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	mask := r.Mask(3)
	if counted(mask) != 12 || len(mask) != 16 || !slices.Equal(mask, r.Mask(3)) || slices.Equal(mask, r.Mask(4)) || !r.Standardised() || r.Encoder().Grid() != 4 {
		t.Errorf("mask %v", mask)
	}
	got, err := r.Reconstruct(drawing(1), mask)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := r.Encoder().Seen(drawing(1))
	if err != nil || !slices.Equal(seen.Pix, got.Seen.Pix) {
		t.Errorf("another image is seen, error %v", err)
	}
	changed := false
	for i, v := range got.Rebuilt.Pix {
		y, x := i/3/16, i/3%16
		same := v == got.Seen.Pix[i]
		if on := mask[y/4*4+x/4]; !on && !same {
			t.Fatalf("a visible pixel is %d, and was %d", v, got.Seen.Pix[i])
		} else if on && !same {
			changed = true
		}
	}
	if !changed {
		t.Error("nothing is predicted")
	}
	for name, wrong := range map[string][]bool{"few": mask[:15], "none": make([]bool, 16), "all": slices.Repeat([]bool{true}, 16)} {
		if _, err := r.Reconstruct(drawing(1), wrong); err == nil || !strings.Contains(err.Error(), "patches are masked") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := r.Reconstruct(nil, mask); err == nil {
		t.Error("no image is taken")
	}
	for _, other := range []string{runs.backbone, runs.tokenizer, runs.classifier} {
		if _, err := infer.OpenReconstructor(other, infer.Options{}); err == nil || !strings.Contains(err.Error(), "predicts no pixels") {
			t.Errorf("%s: error %v", other, err)
		}
	}
}
