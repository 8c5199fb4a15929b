package train_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
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

	// A tokenizer small enough for an example: one block, 16 codes, ten synthetic images.
	cfg, _, err := tokenizer.Method.Configure("small32", "", []string{
		"data.path=procedural:10", "train.batch=5", "train.epochs=1", "tokenizer.kmeans_tokens=0", "tokenizer.model.codes=16",
		"tokenizer.model.encoder.width=32", "tokenizer.model.encoder.depth=1", "tokenizer.model.encoder.heads=2",
		"tokenizer.model.decoder.width=32", "tokenizer.model.decoder.heads=2",
	}, model.Opener())
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := train.Run(context.Background(), filepath.Join(dir, "run"), tokenizer.Method, cfg, train.Env{Open: model.Opener()})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.Open(res.Model)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	tok, err := tokenizer.Build(tensor.CPU(), m)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tok.Set.Release()
	fmt.Println(filepath.Base(res.Model), res.Steps, "steps,", tok.Config.Codes, "codes")
	// Output: tokenizer.safetensors 2 steps, 16 codes
}

func Example_unknownKey() {
	_, _, err := tokenizer.Method.Configure("small32", "", []string{"train.epoch=3"}, model.Opener())
	fmt.Println(err)
	// Output: unknown key train.epoch of method tokenizer; did you mean train.epochs?
}

// A classifier is fine-tuned, here from scratch and on ten synthetic images, and measured.
func Example_evaluate() {
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cfg, _, err := finetune.Method.Configure("small32", "", []string{
		"data.path=procedural:10", "train.batch=5", "train.epochs=1", "finetune.model.width=32", "finetune.model.depth=1", "finetune.model.heads=2",
	}, model.Opener())
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := train.Run(context.Background(), filepath.Join(dir, "run"), finetune.Method, cfg, train.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := evaluate(res.Model, res.Config)
	fmt.Println(report.Images, report.Classes, err)
	// Output: 2 10 <nil>
}

// evaluate measures the classifier in a file on the validation images of a configuration.
func evaluate(path string, c *config.Config) (finetune.Report, error) {
	m, err := model.Open(path)
	if err != nil {
		return finetune.Report{}, err
	}
	defer m.Close()
	classifier, err := finetune.Build(tensor.CPU(), m)
	if err != nil {
		return finetune.Report{}, err
	}
	defer classifier.Set.Release()
	images, err := method.OpenImages(c, finetune.Method.ImageSize(c), nil)
	if err != nil {
		return finetune.Report{}, err
	}
	defer images.Close()
	env := &method.Env{
		Method: finetune.Method, Config: m.Config, Device: tensor.CPU(), Tape: autograd.NewTape(tensor.CPU()),
		Reporter: method.Silent{}, Skipped: func(data.Skipped) {},
	}
	return finetune.Evaluate(context.Background(), env, classifier, images.Val, nil)
}
