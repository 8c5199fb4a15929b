package data_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"log"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

func Example() {
	loader, err := data.NewLoader(data.Cached(data.Procedural(100, 32, 1), 1<<20), data.LoaderOptions{
		Batch: 32,
		Seed:  1,
		Pipeline: &data.RandomCrop{Scale: [2]float64{0.2, 1}, Jitter: 0.4, Views: []data.View{
			{Name: "image", Size: 32, Filter: data.Bicubic, Norm: data.ImageNet},
			{Name: "target", Size: 16, Filter: data.Bicubic, Norm: data.Unit},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for batch, err := range loader.Batches(context.Background(), 0, 0) {
		if err != nil {
			log.Fatal(err)
		}
		_, image := batch.Tensor("image")
		_, target := batch.Tensor("target")
		fmt.Println(batch.Number, len(batch.Labels), image, target)
	}
	// Output:
	// 0 32 [32 3 32 32] [32 3 16 16]
	// 1 32 [32 3 32 32] [32 3 16 16]
	// 2 32 [32 3 32 32] [32 3 16 16]
}

func ExampleOpen() {
	_, err := data.Open("no/such/folder", data.DefaultLimits)
	fmt.Println(err)
	// Output: no/such/folder: no such folder or file: file does not exist
}

func ExampleDecode() {
	_, err := data.Decode([]byte("<!DOCTYPE html>"), data.DefaultLimits)
	fmt.Println(err)
	m, err := data.Decode([]byte("P2 2 1 15 0 15"), data.DefaultLimits.AtMost(100))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.W, m.H, m.Pix)
	// Output:
	// decode image: this is an HTML page, not an image that is read here: the download answered with a page; look at it in a browser, and fetch the file again
	// 2 1 [0 0 0 255 255 255]
}

func ExampleRegisterFormat() {
	// Photoshop files say their size at a fixed place. A real decoder would also find their pixels.
	data.RegisterFormat("psd", data.Format{
		Size: func(content []byte) (w, h int, err error) {
			if len(content) < 22 {
				return 0, 0, io.ErrUnexpectedEOF
			}
			return int(binary.BigEndian.Uint32(content[18:])), int(binary.BigEndian.Uint32(content[14:])), nil
		},
		Decode: func(content []byte) (data.Image, error) { return nil, errors.New("the pixels are not found") },
	})
	_, err := data.Decode([]byte("8BPS\x00\x01\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\xff\xff\x00\x00\xff\xff"), data.DefaultLimits)
	fmt.Println(err)
	// Output: decode PSD image: 65535x65535 pixels: the limit is 178956970 in all (data.max_pixels)
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
	m := data.NewRGB(4, 1)
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
	var p data.Pipeline = &data.Eval{Views: []data.View{{Size: 16, Filter: data.Bicubic, Norm: data.Unit}}}
	sample, err := data.Procedural(1, 32, 1).Sample(0)
	if err != nil {
		log.Fatal(err)
	}
	pixels := make([]float32, 3*16*16)
	p.Apply(data.Tensors{{Float32: pixels}}, sample, nil)
	for _, f := range p.Outputs() {
		fmt.Println(f.Name, f.Shape, f.DType)
	}
	// Output: image [3 16 16] float32
}

// A batch of four images in three classes is mixed in pairs: here, each with 30 % of its partner.
func ExampleMix() {
	images := make([]float32, 4*3*8*8) // (B, 3, 8, 8)
	mix := data.Mix{Share: 0.7}
	mix.Apply(images, 3, 8, 8)
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

// RandAugment distorts an image as its generator says: the same seed gives the same image.
func ExampleRandAugment() {
	m := data.NewRGB(32, 32)
	a := data.RandAugment{Magnitude: 9, Ops: 2, Fill: data.ImageNetFill}
	x, y := a.Apply(m, tensor.NewRand(1)), a.Apply(m, tensor.NewRand(1))
	fmt.Println(x.W, x.H, slices.Equal(x.Pix, y.Pix))
	// Output: 32 32 true
}
