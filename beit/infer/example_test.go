package infer_test

import (
	"context"
	"fmt"
	"image"
	"image/color"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

// gradient draws an image of 60 x 40 pixels.
func gradient() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for y := range 40 {
		for x := range 60 {
			m.Set(x, y, color.RGBA{uint8(4 * x), uint8(6 * y), 128, 255})
		}
	}
	return m
}

// Here runs.backbone is the run folder of a small backbone, 32 numbers wide.
func ExampleOpenEncoder() {
	enc, err := infer.OpenEncoder(runs.backbone, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer enc.Close()
	f, err := enc.Encode(gradient())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(enc.Dim(), len(f.CLS), len(f.Mean))
	// Output: 32 32 32
}

// Here runs.tokenizer is the run folder of a tokenizer with 32 codes and a grid of 4 x 4 patches.
func ExampleOpenTokenizer() {
	tok, err := infer.OpenTokenizer(runs.tokenizer, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tok.Close()
	codes, err := tok.EncodeBatch([]image.Image{gradient(), gradient()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range codes {
		fmt.Println(c.Rows, c.Cols, len(c.Index), c.At(3, 3) < 32)
	}
	// Output:
	// 4 4 16 true
	// 4 4 16 true
}

// A program that takes either kind of model.
func ExampleOpen() {
	for _, path := range []string{runs.tokenizer, runs.backbone} {
		m, err := infer.Open(path)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer m.Close()
		switch m := m.(type) {
		case *infer.Tokenizer:
			fmt.Println("tokenizer of", m.Vocabulary(), "codes")
		case *infer.Encoder:
			fmt.Println("encoder of", m.Dim(), "numbers")
		}
	}
	// Output:
	// tokenizer of 32 codes
	// encoder of 32 numbers
}

// The features of a whole folder, here of three synthetic images; data.Open opens folders and archives.
func ExampleEncoder_EncodeDataset() {
	enc, err := infer.OpenEncoder(runs.backbone, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer enc.Close()
	skipped := func(s data.Skipped) { fmt.Println("left out:", s.Err) }
	for item, err := range enc.EncodeDataset(context.Background(), data.Procedural(3, 32, 1), skipped) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(item.Index, item.Name, len(item.Value.Mean))
	}
	// Output:
	// 0 discs in a row 0 32
	// 1 discs in a cluster 1 32
	// 2 squares in a row 2 32
}

// Here runs.classifier is the run folder of a small classifier of ten classes.
func ExampleOpenClassifier() {
	c, err := infer.OpenClassifier(runs.classifier, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	classes, err := c.Classify(gradient())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(classes), classes[0].Probability >= classes[1].Probability)
	// Output: 10 true
}

// The fewest patches that hold 60 % of the attention of a patch, in the mean of the heads of the last block.
func ExampleEncoder_Attention() {
	enc, err := infer.OpenEncoder(runs.backbone, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer enc.Close()
	a, err := enc.Attention(gradient(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	weights := a.Mean(a.Query(2, 1)) // of the patches, as the patch in row 2, column 1 sees them
	kept := 0
	for _, keep := range infer.KeepMass(weights, 0.6) {
		if keep {
			kept++
		}
	}
	fmt.Println(a.Block, a.Heads, len(weights), 0 < kept && kept < 16)
	// Output: 2 2 16 true
}

// Here runs.backbone is the run folder of a small backbone, which names its tokenizer.
func ExampleOpenPredictor() {
	p, err := infer.OpenPredictor(runs.backbone, "", infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	guess, err := p.Predict(gradient(), p.Mask(1), 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	first := guess.Patches[0]
	fmt.Println(len(guess.Patches), len(first.Likeliest), first.Likeliest[0].Probability >= first.True.Probability)
	// Output: 6 5 true
}
