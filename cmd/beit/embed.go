package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// embedCmd is "beit embed".
type embedCmd struct {
	modelArg `set:"model_is=Backbone or classifier"`
	imagesArg
	partFlag
	featureFlag
	Out string `placeholder:"FILE" help:"File to write: x.npy, with names in x.names.json, or x.jsonl (JSON lines on standard output)."`
}

// partFlag chooses images, and how they are turned.
type partFlag struct {
	Part string `enum:"train,val" default:"train" help:"Which part, where there are train/ and val/: train or val."`
	exifFlag
}

// featureFlag chooses features.
type featureFlag struct {
	Feature string `enum:"cls,mean" default:"mean" help:"Features: cls, the class token, or mean, the mean of the patches."`
}

// of are the chosen ones.
func (f featureFlag) of(v infer.Features) []float32 {
	if f.Feature == "cls" {
		return v.CLS
	}
	return v.Mean
}

// embedded is one line of the output.
type embedded struct {
	Name   string    `json:"name"`
	Vector []float32 `json:"vector"`
}

// Run writes a vector for each image.
func (c *embedCmd) Run(a *app) error {
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	enc, err := openWith(a, c.modelArg, backbones, infer.OpenEncoder)
	if err != nil {
		return err
	}
	defer enc.Close()
	ds, done, err := c.partFlag.open(a, enc, c.named()...)
	if err != nil {
		return err
	}
	defer done()
	out, err := openOutput(a.written(c.Out), a.out, []int{enc.Dim()}, func(name string, row []float32) any { return embedded{name, row} })
	if err != nil {
		return err
	}
	defer out.discard()
	return write(a, "embed", enc, ds, enc.EncodeDataset, out, c.of)
}

// open opens the part of the images at some paths, in the form that a model wants. Image files that are named one by one keep these names.
func (p partFlag) open(a *app, m infer.Model, paths ...string) (ds data.Dataset, done func() error, err error) {
	return p.openFor(a, m.Config(), m.ImageSize(), paths...)
}

// openFor is open for a model of that configuration and image size.
func (p partFlag) openFor(a *app, c *config.Config, size int, paths ...string) (ds data.Dataset, done func() error, err error) {
	if len(paths) > 1 && p.Part == "train" && !slices.ContainsFunc(paths, holdsImages) {
		return looseImages(paths, p.over(c))
	}
	images, err := p.openImages(c, size, paths...)
	if err != nil {
		return nil, nil, err
	}
	tell := images.Tell
	if images.Train.Len() == 1 && images.Val == nil { // there is nothing to sum up
		tell = images.Warn
	}
	if !a.follows() {
		tell(newReporter(a.errOut))
	}
	if p.Part == "train" {
		return images.Train, images.Close, nil
	}
	if images.Val == nil {
		images.Close()
		return nil, nil, usagef("--part val: %s has no folder val beside a folder train", images.Path)
	}
	return images.Val, images.Close, nil
}

// encodeFunc is a model's EncodeDataset.
type encodeFunc[T any] func(context.Context, data.Dataset, func(data.Skipped)) iter.Seq2[infer.Item[T], error]

// pass goes over the images of ds and calls use with each result. On the way it shows how far it is and
// names the images that cannot be read; it returns how many these were. name is what the work is called.
func pass[T any](a *app, name string, ds data.Dataset, encode encodeFunc[T], use func(infer.Item[T]) error) (skipped int, err error) {
	r := newReporter(a.errOut)
	defer r.clear()
	skip := func(s data.Skipped) {
		skipped++
		r.Warning(method.SkippedText(s))
	}
	_, live := terminal(a.out)
	for item, err := range encode(a.ctx, ds, skip) {
		if err != nil {
			return skipped, err
		}
		if live { // results and progress stand on the same terminal
			r.clear()
		}
		if err := use(item); err != nil {
			return skipped, err
		}
		r.Progress(method.Progress{Method: name, Phase: "images", Done: item.Index + 1, Total: ds.Len()})
	}
	if skipped > 0 {
		r.Notice(skippedNotice(skipped, ds))
	}
	return skipped, nil
}

func skippedNotice(skipped int, ds data.Dataset) string {
	return fmt.Sprintf("%d of %d images were left out", skipped, ds.Len())
}

// write is a pass that writes a row for each image. Several processes share the images, and that of rank 0 writes.
func write[T any, E float32 | int32](
	a *app, name string, m infer.Model, ds data.Dataset, encode encodeFunc[T], out output[E], row func(T) []E,
) (err error) {
	if a.group.Size() > 1 {
		err = sharedPass(a, name, m, ds, encode, row, out.add)
	} else {
		_, err = pass(a, name, ds, encode, func(item infer.Item[T]) error { return out.add(item.Name, row(item.Value)) })
	}
	if err != nil {
		return err
	}
	summary, err := out.close()
	if err == nil && summary != "" {
		fmt.Fprintln(a.errOut, plain.Text(summary))
	}
	return err
}
