package infer_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// runs are the run folders of a tokenizer, a backbone and a classifier for images of 16 in 4 x 4 patches, trained for a moment on synthetic images.
var runs struct{ tokenizer, backbone, classifier string }

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "infer")
	if err == nil {
		err = trainRuns(dir)
	}
	status := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		status = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

func trainRuns(dir string) (err error) {
	common := []string{"data.path=procedural:40", "train.batch=8", "train.epochs=1", "train.warmup_epochs=0"}
	runs.tokenizer, err = trainRun(filepath.Join(dir, "tokenizer"), tokenizer.Method, append([]string{
		"tokenizer.model.encoder.image_size=16", "tokenizer.model.encoder.width=32", "tokenizer.model.encoder.depth=2",
		"tokenizer.model.encoder.heads=2", "tokenizer.model.decoder.image_size=4", "tokenizer.model.decoder.width=32",
		"tokenizer.model.decoder.heads=2", "tokenizer.model.codes=32", "tokenizer.kmeans_tokens=300",
	}, common...))
	if err != nil {
		return err
	}
	runs.backbone, err = trainRun(filepath.Join(dir, "backbone"), pretrain.Method, append([]string{
		"pretrain.tokenizer=" + runs.tokenizer, "pretrain.model.vit.image_size=16", "pretrain.model.vit.width=32",
		"pretrain.model.vit.depth=2", "pretrain.model.vit.heads=2", "pretrain.model.aggregation.layer=1", "pretrain.model.vocab=32",
		"pretrain.mask.rows=4", "pretrain.mask.cols=4", "pretrain.mask.count=6", "pretrain.mask.min_block=4",
	}, common...))
	if err != nil {
		return err
	}
	runs.classifier, err = trainRun(filepath.Join(dir, "classifier"), finetune.Method, append([]string{"init_from=" + runs.backbone}, common...))
	return err
}

// trainRun trains a method in dir, and returns dir.
func trainRun(dir string, m *method.Method, set []string) (string, error) {
	cfg, start, err := m.Configure("", "", set, model.Opener())
	if err != nil {
		return dir, err
	}
	if start != nil {
		defer start.Close()
	}
	_, err = train.Run(context.Background(), dir, m, cfg, train.Env{Open: model.Opener(), Start: start})
	return dir, err
}
