package train_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

func Example() {
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	// A tokenizer small enough for an example: one block, 16 codes, ten drawn pictures.
	cfg, err := train.Configure(train.Tokenizer, "small32", "", []string{
		"data.path=procedural:10", "train.batch=5", "train.epochs=1", "tokenizer.kmeans_tokens=0", "tokenizer.model.codes=16",
		"tokenizer.model.encoder.width=32", "tokenizer.model.encoder.depth=1", "tokenizer.model.encoder.heads=2",
		"tokenizer.model.decoder.width=32", "tokenizer.model.decoder.heads=2",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := train.Run(context.Background(), filepath.Join(dir, "run"), cfg, train.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	tok, err := train.LoadTokenizer(tensor.CPU(), res.Model)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(filepath.Base(res.Model), res.Steps, "updates,", tok.Model.Config.Codes, "codes")
	// Output: tokenizer.safetensors 2 updates, 16 codes
}

func ExampleConfigure() {
	_, err := train.Configure(train.Tokenizer, "small32", "", []string{"train.epoch=3"})
	fmt.Println(err)
	// Output: unknown key train.epoch in stage tokenizer; did you mean train.epochs?
}

// A classifier is fine-tuned, here from nothing and on ten drawn pictures, and measured.
func ExampleEvalClassifier() {
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cfg, err := train.Configure(train.Finetune, "small32", "", []string{
		"data.path=procedural:10", "train.batch=5", "train.epochs=1", "finetune.model.width=32", "finetune.model.depth=1", "finetune.model.heads=2",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := train.Run(context.Background(), filepath.Join(dir, "run"), cfg, train.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := train.LoadClassifier(tensor.CPU(), res.Model)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, val, done, err := train.OpenPictures(res.Config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer done()
	report, err := train.EvalClassifier(context.Background(), m, val, nil, res.Config.Data.Eval, train.Env{})
	fmt.Println(report.Pictures, report.Classes, err)
	// Output: 2 10 <nil>
}
