package infer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// patterns is a dataset of synthetic images in three classes. Period, shift and colours are random. Folders and archives are opened by
// data.Open instead.
type patterns struct {
	n    int
	seed uint64
}

func (p patterns) Len() int          { return p.n }
func (p patterns) Name(i int) string { return fmt.Sprintf("%s %d", p.Classes()[p.Label(i)], i) }
func (p patterns) Label(i int) int   { return i % 3 }
func (p patterns) Classes() []string {
	return []string{"horizontal stripes", "vertical stripes", "checks"}
}

// Sample draws image i.
func (p patterns) Sample(i int) (data.Sample, error) {
	r := tensor.NewRand(p.seed, uint64(i))
	half, shift := 3+r.IntN(3), r.IntN(8)
	var colors [2][3]uint8
	for c := range 3 {
		colors[0][c], colors[1][c] = uint8(r.IntN(100)), uint8(155+r.IntN(100))
	}
	m := data.NewRGB(32, 32)
	for y := range m.H {
		for x := range m.W {
			column, row := (x+shift)/half, (y+shift)/half
			which := [3]int{row, column, row + column}[p.Label(i)] % 2
			copy(m.Pix[3*(y*m.W+x):], colors[which][:])
		}
	}
	return data.Sample{Image: m, Label: p.Label(i)}, nil
}

// trainPatterns trains a small classifier from scratch in a new run folder.
func trainPatterns(ctx context.Context, dir string) (*train.Result, error) {
	cfg, _, err := finetune.Method.Configure("small32", "", []string{
		"finetune.model.patch_size=8", "finetune.model.width=48", "finetune.model.depth=2", "finetune.model.heads=3", "finetune.model.drop_path=0",
		"finetune.rand_magnitude=0", "data.augment=none",
		"train.epochs=12", "train.warmup_epochs=1", "train.batch=16", "train.lr_batch=16", "train.lr=2e-3",
	}, model.Opener())
	if err != nil {
		return nil, err
	}
	images := &data.Source{Train: patterns{384, 1}, Val: patterns{48, 2}}
	return train.Run(ctx, dir, finetune.Method, cfg, train.Env{Source: images})
}

// Example_train trains a classifier on a dataset of the program's own, opens the finished model, and classifies new images.
func Example_train() {
	dir, err := os.MkdirTemp("", "patterns")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	result, err := trainPatterns(context.Background(), filepath.Join(dir, "run"))
	if err != nil {
		fmt.Println(err)
		return
	}

	classifier, err := infer.OpenClassifier(result.Model, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer classifier.Close()
	fresh := patterns{30, 3}
	right := 0
	for i := range fresh.Len() {
		sample, err := fresh.Sample(i)
		if err != nil {
			fmt.Println(err)
			return
		}
		classes, err := classifier.Classify(sample.RGB()) // most probable first; any image.Image will do
		if err != nil {
			fmt.Println(err)
			return
		}
		if classes[0].Index == fresh.Label(i) {
			right++
		}
	}
	fmt.Println(classifier.Names())
	fmt.Println("more than 25 of 30 right:", right > 25)
	// Output:
	// [horizontal stripes vertical stripes checks]
	// more than 25 of 30 right: true
}
