package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
)

// measureFlags name a model and the images that it is measured on: those of its run unless others are named.
type measureFlags struct {
	modelArg
	imagesArg `set:"data=Images, where not those of the model's run: a folder, a .tar, .tar.gz or .zip file, a list (.csv, .jsonl) or one image; shapes:N and procedural:N make N synthetic images."`
	splitFlags
	Seed *uint64 `placeholder:"N" help:"Seed of everything that is random, the choice of --val-fraction included (that of the model's run)."`
}

// cacheMB is for images that are read more than once.
const cacheMB = 512

// check refuses names that are none. There may be no names.
func (f measureFlags) check() error {
	if slices.Contains(f.named(), "") {
		return f.imagesArg.check()
	}
	if f.ValFraction < 0 || f.ValFraction >= 1 {
		return usagef("--val-fraction %g: must be in [0, 1)", f.ValFraction)
	}
	return nil
}

// seed is the flag's, or else that of the model's run: with another one, images would be set aside that the model learned from.
func (f measureFlags) seed(run *config.Config) uint64 {
	if f.Seed != nil {
		return *f.Seed
	}
	return run.Seed
}

// configure is the configuration of the model's run with all the images that are to be measured, and with their split. That of the run is one of
// its own images: of others it set nothing aside.
func (f measureFlags) configure(run *config.Config) (*config.Config, error) {
	c := f.over(run).Clone()
	d := &c.Data
	d.Limit, d.Eval.Limit, d.LabelFraction, d.ValFromTrain, d.CacheMB = 0, 0, 1, false, cacheMB
	if f.Seed != nil {
		c.Seed, d.Seed = *f.Seed, 0
	}
	if list := f.named(); len(list) > 0 {
		if !slices.EqualFunc(list, d.Path.List(), func(a, b string) bool { return a == b || same(a, b) }) {
			d.ValFraction = 0
		}
		d.Path, d.EvalPath = config.PathsOf(list...), ""
	} else if d.Path == "" {
		return nil, usagef("%s: no run says which images it learned from: name the images after the model", f.Model)
	}
	if len(f.EvalData) > 0 {
		d.EvalPath = config.PathsOf(f.EvalData...)
	}
	if f.ValFraction > 0 {
		d.ValFraction = f.ValFraction
	}
	return c, nil
}

// images opens the images of a configuration that configure made, for images of the given side. r is told which they are, where the command line does
// not say it.
func (f measureFlags) images(r method.Reporter, m *model.Model, c *config.Config, size int) (*method.Images, error) {
	ofRun := len(f.named()) == 0
	for _, moved := range m.Moved {
		images := strings.HasPrefix(moved.Key, "data.")
		if used := ofRun || !images; used && moved.Key != "init_from" {
			r.Notice(moved.String())
		}
	}
	images, err := method.OpenImages(c, size, nil)
	if ofRun && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the images of the model's run: %w; name images after the model", err)
	}
	if err != nil || !ofRun {
		return images, err
	}
	split := ""
	switch {
	case images.Split:
		split = fmt.Sprintf(", a share of %g set aside for validation", c.Data.ValFraction)
	case c.Data.EvalPath != "":
		split = ", for validation " + c.Data.EvalPath.String()
	}
	r.Notice("the images are those of the model's run: " + images.Path + split)
	return images, nil
}

// openBoth opens the images for commands that need validation images. r is told what the images are.
func (f measureFlags) openBoth(r method.Reporter, m *model.Model, size int) (*method.Images, error) {
	c, err := f.configure(m.Config)
	if err != nil {
		return nil, err
	}
	images, err := f.images(r, m, c, size)
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
