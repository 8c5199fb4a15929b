package infer_test

import (
	"image"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// TestTeacherEncodes: a network trained by self-distillation is an Encoder too, with the features that probes see.
func TestTeacherEncodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "teacher")
	cfg, err := train.Configure(train.Teacher, "small32", "", []string{
		"data.path=procedural:16", "train.batch=8", "train.epochs=1", "teacher.model.vit.image_size=16", "teacher.model.vit.width=32",
		"teacher.model.vit.depth=2", "teacher.model.vit.heads=2", "teacher.model.hidden=16", "teacher.model.outputs=32", "teacher.crops.small=1",
		"teacher.crops.small_size=8",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := train.Run(t.Context(), dir, cfg, train.Env{}); err != nil {
		t.Fatal(err)
	}
	m, err := infer.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	enc, ok := m.(*infer.Encoder)
	if !ok || enc.Dim() != 32 || enc.Grid() != 4 || enc.ImageSize() != 16 {
		t.Fatalf("opened %T for pictures of %d", m, m.ImageSize())
	}
	ds := labelled{files(t, 3, -1)}
	raw, err := train.LoadEncoder(tensor.CPU(), filepath.Join(dir, "teacher.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := probe.Extract(t.Context(), tensor.CPU(), ds, probe.Pipeline(16), nil, probe.Backbone(raw.Model))
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
