package npy_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/nn/state/npy"
	"github.com/gobeit/gobeit/tensor"
)

// An array goes to a file and comes back.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "x.npy")
	dev := tensor.CPU()
	if err := npy.Save(path, tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2)); err != nil {
		fmt.Println(err)
		return
	}
	x, err := npy.Load(dev, path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x)
	// Output:
	// [[1 2]
	//  [3 4]]
}

// Several arrays in one file, by name.
func ExampleLoadZip() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "features.npz")
	dev := tensor.CPU()
	err = npy.SaveZipCompressed(path, map[string]*tensor.Tensor{
		"features": tensor.Zeros(dev, 2, 3), "labels": tensor.FromInts(dev, []int32{4, 1}, 2),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	arrays, err := npy.LoadZip(dev, path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(arrays["features"].Shape(), arrays["labels"])
	// Output: [2 3] [4 1]
}
