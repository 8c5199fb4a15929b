package nn

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// An embedding looks rows up, and adds the gradients of those that repeat.
func TestEmbedding(t *testing.T) {
	set := NewSet()
	table := NewEmbedding(set.Scope(), 3, 2, Zeros)
	set.Build(tensor.CPU(), 1, Training)
	defer set.Release()
	table.W.Value.Upload([]float32{1, 2, 3, 4, 5, 6})
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	y := table.Forward(Context{Tape: tape}, tensor.FromInts(tensor.CPU(), []int32{2, 0, 2, 2}, 2, 2))
	if !y.Shape().Equal(tensor.Shape{2, 2, 2}) {
		t.Fatalf("shape %v", y.Shape())
	}
	if d := cmp.Diff([]float32{5, 6, 1, 2, 5, 6, 5, 6}, y.Value().Float32s()); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	tape.BackwardFrom(y, tensor.FromSlice(tensor.CPU(), []float32{1, 2, 10, 20, 100, 200, 1000, 2000}, 2, 2, 2))
	if d := cmp.Diff([]float32{10, 20, 0, 0, 1101, 2202}, table.W.Grad.Float32s()); d != "" {
		t.Errorf("gradient (-want +got):\n%s", d)
	}
	if got := errorOf(func() { table.Forward(Context{Tape: tape}, nil) }); got != "tensor: Embedding: index is nil" {
		t.Error(got)
	}
}
