package main

import (
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
)

// dataFlags name the pictures of commands that do not train.
type dataFlags struct {
	Data        string  `required:"" placeholder:"DIR|TAR" help:"Pictures: a folder or .tar file, with train/ and val/ inside or without."`
	EvalData    string  `placeholder:"DIR|TAR" help:"Validation pictures, where the data have no val/."`
	ValFraction float64 `placeholder:"F" help:"Part of the pictures set aside for validation, where there are none."`
	Seed        *uint64 `placeholder:"N" help:"Seed of everything that is random, the choice of --val-fraction included (that of the model's run)."`
}

// pictures are opened data sets.
type pictures struct {
	train, val data.Dataset
	close      func() error
}

// seed is the flag's, or else that of the model's run: with another one, --val-fraction would choose pictures that the model learned from.
func (f dataFlags) seed(run train.Config) uint64 {
	if f.Seed != nil {
		return *f.Seed
	}
	return run.Seed
}

// cacheMB is for pictures that are read more than once.
const cacheMB = 512

// open opens the pictures as the run that made a model would with the same flags, for pictures of the given side. Up to cacheMB of them
// stay in memory.
func (f dataFlags) open(size int, run train.Config, cacheMB int) (*pictures, error) {
	if f.ValFraction < 0 || f.ValFraction >= 1 {
		return nil, usagef("--val-fraction %g: must be in [0, 1)", f.ValFraction)
	}
	cfg := train.Config{Stage: train.Tokenizer, Seed: f.seed(run), Tokenizer: &train.TokenizerConfig{}}
	cfg.Tokenizer.Model.Encoder.ImageSize = size
	cfg.Data = train.DataConfig{Path: f.Data, EvalPath: f.EvalData, ValFraction: f.ValFraction, CacheMB: cacheMB, Upright: run.Data.Upright}
	fit, val, done, err := train.OpenPictures(cfg)
	if err != nil {
		return nil, err
	}
	return &pictures{fit, val, done}, nil
}

// openBoth is open for commands that need validation pictures.
func (f dataFlags) openBoth(size int, run train.Config) (*pictures, error) {
	p, err := f.open(size, run, cacheMB)
	if err != nil {
		return nil, err
	}
	if p.val == nil {
		p.close()
		return nil, usagef("there are no validation pictures: name some with --eval-data, or set a part aside with --val-fraction 0.1")
	}
	return p, nil
}
