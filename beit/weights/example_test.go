package weights_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Open a classifier of the authors, build it and convert it to Hugging Face's format.
func Example() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.pth")
	if err := writeSmall(path); err != nil {
		fmt.Println(err)
		return
	}
	m, err := weights.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	fmt.Printf("a %s with %s names: %d blocks, %d heads, images of %d\n", m.Kind, m.Naming, m.ViT.Depth, m.ViT.Heads, m.ViT.ImageSize)
	network, set, err := m.Build(tensor.CPU())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Release()
	fmt.Printf("%T with %d parameters\n", network, set.Count())
	written, _, err := m.Convert(context.Background(), filepath.Join(dir, "model.safetensors"), weights.HF, nil)
	fmt.Println(written, "tensors:", err)
	// Output:
	// a classifier with timm names: 2 blocks, 2 heads, images of 32
	// *beit.ViT with 7811 parameters
	// 39 tensors: <nil>
}

// writeSmall writes a small classifier in PyTorch's format.
func writeSmall(path string) error {
	set := nn.NewSet()
	beit.NewViT(set.Scope(), beit.ViTConfig{
		ImageSize: 32, PatchSize: 8, Channels: 3, Width: 16, Depth: 2, Heads: 2, MLPRatio: 2, QKVBias: true, RelPos: beit.RelPosBlock, MeanPool: true,
		Classes: 3,
	})
	set.Build(tensor.CPU(), 1, nn.Inference)
	defer set.Release()
	var list []state.Named
	for _, p := range set.Params() {
		list = append(list, state.Named{Name: p.Name, DType: state.F32, Shape: p.Shape, Float32s: p.Value.Float32s()})
	}
	return state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, "model", list) })
}
