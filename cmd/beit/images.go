package main

import (
	"slices"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/gobeit/gobeit/beit/config"
)

// helpTexts are help texts that several commands have.
var helpTexts = kong.Vars{
	"data":         "Images: a folder, a .tar, .tar.gz or .zip file, a list (.csv, .jsonl) or one image, with train/ and val/ inside or without; may be repeated. shapes:N and procedural:N make N synthetic images.",
	"eval_data":    "Validation images, where the data have no val/.",
	"val_fraction": "Part of the images set aside for validation, where there are none.",
	"ignored":      strconv.Itoa(ignoredID),
	"pretrainings": pretrainingsText(),
}

// imageFlags name the images of a command that trains.
type imageFlags struct {
	Data []string `sep:"none" placeholder:"PATH" help:"${data}"`
	splitFlags
}

// splitFlags say which images are for validation, and how images are turned.
type splitFlags struct {
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

// imagesArg names the images of a command that uses a model. They stand behind it.
type imagesArg struct {
	Images []string `arg:"" optional:"" help:"${data}"`
	Data   []string `sep:"none" placeholder:"PATH" help:"The same as images."`
}

// named are the images that the command line names.
func (i imagesArg) named() []string { return slices.Concat(i.Images, i.Data) }

// check refuses a command without images.
func (i imagesArg) check() error {
	if list := i.named(); len(list) == 0 || slices.Contains(list, "") {
		return usagef("name the images after the model: a folder, an archive, a list or an image")
	}
	return nil
}
