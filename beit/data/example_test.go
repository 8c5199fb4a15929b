package data_test

import (
	"context"
	"fmt"
	"image"
	"log"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

func Example() {
	loader, err := data.NewLoader(data.Cached(data.Procedural(100, 32, 1), 1<<20), data.LoaderOptions{
		Batch:    32,
		Seed:     1,
		Pipeline: data.MIMTrain(data.View{Size: 32, Filter: data.Bicubic, Norm: data.ImageNet}, data.View{Size: 16, Filter: data.Bicubic, Norm: data.Unit}, 0.2),
	})
	if err != nil {
		log.Fatal(err)
	}
	for batch, err := range loader.Batches(context.Background(), 0, 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.Number, len(batch.Index), len(batch.Views[0]), len(batch.Views[1]))
	}
	// Output:
	// 0 32 98304 24576
	// 1 32 98304 24576
	// 2 32 98304 24576
}

func ExampleOpen() {
	_, err := data.Open("no/such/folder", data.DefaultLimits)
	fmt.Println(err)
	// Output: no/such/folder: no such folder or .tar file: file does not exist
}

func ExampleSplit() {
	train, val, err := data.Split(data.Procedural(100, 32, 1), 0.1, 7)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), val.Len())
	// Output: 90 10
}

func ExampleResize() {
	m := data.NewImage(4, 1)
	copy(m.Pix, []uint8{0, 0, 0, 100, 100, 100, 100, 100, 100, 200, 200, 200})
	half := data.Resize(m, m.Bounds(), 2, 1, data.Bilinear)
	fmt.Println(half.Pix)
	right := data.Resize(m, image.Rect(2, 0, 4, 1), 1, 1, data.Bilinear)
	fmt.Println(right.Pix)
	// Output:
	// [57 57 57 143 143 143]
	// [150 150 150]
}

func ExamplePipeline() {
	var p data.Pipeline = data.VQKDEval(16)
	picture, err := data.Procedural(1, 32, 1).Image(0)
	if err != nil {
		log.Fatal(err)
	}
	view := make([]float32, 3*16*16)
	p.Apply([][]float32{view}, picture, tensor.NewRand(1))
	fmt.Println(len(p.Outputs()), len(view))
	// Output: 1 768
}

// A batch of four pictures in three classes is mixed in pairs: here, each with 30 % of its partner.
func ExampleMix() {
	images := make([]float32, 4*3*8*8) // (B, 3, 8, 8)
	mix := data.Mix{Share: 0.7}
	mix.Apply(images, 8)
	soft := mix.Targets([]int32{0, 1, 1, 2}, 3, 0.1) // smoothed by 0.1
	for i := range 4 {
		fmt.Printf("%.3f\n", soft[3*i:3*i+3])
	}
	// Output:
	// [0.663 0.033 0.303]
	// [0.033 0.933 0.033]
	// [0.033 0.933 0.033]
	// [0.303 0.033 0.663]
}

// RandAugment distorts a picture as its generator says: the same seed gives the same picture.
func ExampleRandAugment() {
	m := data.NewImage(32, 32)
	a := data.RandAugment{Magnitude: 9, Ops: 2, Fill: data.ImageNetFill}
	x, y := a.Apply(m, tensor.NewRand(1)), a.Apply(m, tensor.NewRand(1))
	fmt.Println(x.W, x.H, slices.Equal(x.Pix, y.Pix))
	// Output: 32 32 true
}
