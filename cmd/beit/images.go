package main

import (
	"slices"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// helpTexts are help texts that several commands have.
var helpTexts = kong.Vars{
	"data":         "Images: a folder, a .tar, .tar.gz or .zip file, a list (.csv, .jsonl) or one image, with train/ and val/ inside or without; may be repeated. shapes:N and procedural:N make N synthetic images.",
	"eval_data":    "Validation images, where the data have no val/.",
	"val_fraction": "Part of the images set aside for validation, where there are none.",
	"model":        "A run folder or model file.",
}

// imageFlags name the images of a command.
type imageFlags struct {
	Data        []string `sep:"none" placeholder:"PATH" help:"${data}"`
	EvalData    []string `sep:"none" placeholder:"PATH" help:"${eval_data}"`
	ValFraction float64  `placeholder:"F" help:"${val_fraction}"`
	exifFlag
}

// paths are those of --data, and those of --eval-data.
func (f imageFlags) paths() (images, eval config.Paths) {
	return config.PathsOf(f.Data...), config.PathsOf(f.EvalData...)
}

// check refuses a command without images.
func (f imageFlags) check() error {
	if len(f.Data) == 0 || slices.Contains(f.Data, "") {
		return usagef("name the images with --data DIR or --data FILE.tar")
	}
	return nil
}

// dataFlags name the images of commands that measure a model.
type dataFlags struct {
	imageFlags
	Seed *uint64 `placeholder:"N" help:"Seed of everything that is random, the choice of --val-fraction included (that of the model's run)."`
}

// seed is the flag's, or else that of the model's run: with another one, --val-fraction would choose images that the model learned from.
func (f dataFlags) seed(run *config.Config) uint64 {
	if f.Seed != nil {
		return *f.Seed
	}
	return run.Seed
}

// cacheMB is for images that are read more than once.
const cacheMB = 512

// open opens the images as the run that made a model would with the same flags, for images of the given side. Up to cacheMB of them stay in
// memory.
func (f dataFlags) open(size int, run *config.Config, cacheMB int) (*method.Images, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.ValFraction < 0 || f.ValFraction >= 1 {
		return nil, usagef("--val-fraction %g: must be in [0, 1)", f.ValFraction)
	}
	images, eval := f.paths()
	seed := run.ImageSeed()
	if f.Seed != nil {
		seed = *f.Seed
	}
	c := &config.Config{Seed: seed, Data: config.Data{
		Path: images, EvalPath: eval, ValFraction: f.ValFraction, LabelFraction: 1, CacheMB: cacheMB,
		ExifTranspose: f.over(run).Data.ExifTranspose, MaxPixels: run.Data.MaxPixels,
	}}
	return method.OpenImages(c, size, nil)
}

// openBoth is open for commands that need validation images. r is told what the images are.
func (f dataFlags) openBoth(r method.Reporter, size int, run *config.Config) (*method.Images, error) {
	images, err := f.open(size, run, cacheMB)
	if err != nil {
		return nil, err
	}
	if images.Val == nil {
		images.Close()
		return nil, usagef("there are no validation images: name some with --eval-data, or set a part aside with --val-fraction 0.1")
	}
	images.Tell(r)
	return images, nil
}
