package infer_test

import (
	"image"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/tensor"
)

// TestTeacherEncodes: a network trained by self-distillation is an Encoder too, with the features that probes see.
func TestTeacherEncodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "teacher")
	_, err := trainRun(dir, dino.Method, []string{
		"data.path=procedural:16", "train.batch=8", "train.epochs=1", "dino.model.vit.image_size=16", "dino.model.vit.width=32",
		"dino.model.vit.depth=2", "dino.model.vit.heads=2", "dino.model.hidden=16", "dino.model.outputs=32", "dino.crops.small=1",
		"dino.crops.small_size=8",
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := infer.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	enc, ok := m.(*infer.Encoder)
	if !ok || enc.Dim() != 32 || enc.Grid() != 4 || enc.ImageSize() != 16 {
		t.Fatalf("opened %T for images of %d", m, m.ImageSize())
	}
	ds := labelled{files(t, 3, -1)}
	want, err := probe.Extract(t.Context(), tensor.CPU(), ds, probe.Pipeline(16), nil, probe.Backbone(rawEncoder(t, filepath.Join(dir, "teacher.safetensors"))))
	if err != nil {
		t.Fatal(err)
	}
	features, err := enc.EncodeBatch([]image.Image{decoded(t, 0), decoded(t, 1), decoded(t, 2)})
	if err != nil {
		t.Fatal(err)
	}
	var cls []float32
	for _, f := range features {
		cls = append(cls, f.CLS...)
	}
	if !cmp.Equal(cls, want[0].X) {
		t.Error("features differ from those that are probed")
	}
}
