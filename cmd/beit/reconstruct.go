package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/rebuilt"
	"github.com/gobeit/gobeit/nn/state/plain"
	"github.com/gobeit/gobeit/tensor"
)

// rebuildCmd is "beit reconstruct".
type rebuildCmd struct {
	modelArg `set:"model_is=Masked autoencoder with its decoder"`
	imagesArg
	partFlag
	Shown     int     `name:"show" default:"8" placeholder:"N" help:"Images to show, at most, chosen at random (${default})."`
	MaskRatio float64 `placeholder:"F" help:"Part of the patches that are masked (0: as in validation)."`
	Seed      uint64  `default:"1" placeholder:"N" help:"Seed of the choice of images, and of masks with --mask-ratio (${default})."`
	RawPixels bool    `help:"The published model predicts pixels as they are: its file does not tell, and standardised patches are taken to be meant."`
	Out       string  `default:"reconstruction" placeholder:"NAME" help:"Files to write: NAME.png and NAME.html (${default}), or one of them where NAME ends so."`
}

// Random numbers of this command.
const (
	streamShown  uint64 = 0x72656201
	streamMasked uint64 = 0x72656202
)

// Run draws images masked, rebuilt and as they are.
func (c *rebuildCmd) Run(a *app) error {
	switch {
	case c.Shown < 1:
		return usagef("--show %d: must be at least 1", c.Shown)
	case !(c.MaskRatio >= 0 && c.MaskRatio < 1):
		return usagef("--mask-ratio %g: must be at least 0 and below 1", c.MaskRatio)
	}
	if err := checkBoth(c.Out); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	path, err := model.Find(c.Model, anyModel.getter(a))
	if err != nil {
		return err
	}
	r, err := infer.OpenReconstructor(path, infer.Options{Device: a.dev, Key: c.Key})
	if err != nil {
		return err
	}
	defer r.Close()
	newReporter(a.errOut).damaged(r.Encoder().Warnings())
	switch {
	case c.RawPixels && !r.Assumed():
		return usagef("--raw-pixels: a run made %s, and tells what it predicts: leave the flag away", c.Model)
	case c.RawPixels:
		r = r.Raw()
	case r.Assumed():
		newReporter(a.errOut).Notice("the file does not tell what is predicted: standardised patches are assumed, --raw-pixels takes pixels as they are")
	}
	n := r.Encoder().Grid() * r.Encoder().Grid()
	if hidden := c.hidden(n); c.MaskRatio > 0 && (hidden < 1 || hidden >= n) {
		return usagef("--mask-ratio %g: masks %d of %d patches: must mask one, and leave one", c.MaskRatio, hidden, n)
	}
	ds, done, err := c.partFlag.open(a, r.Encoder(), c.named()...)
	if err != nil {
		return err
	}
	defer done()
	content, err := c.content(a, r, ds)
	if err != nil {
		return err
	}
	return c.write(a, content)
}

// hidden is how many of n patches the flag masks.
func (c *rebuildCmd) hidden(n int) int { return int(c.MaskRatio*float64(n) + 0.5) }

// mask is that of image i: as in validation, or with as many patches as the flag says.
func (c *rebuildCmd) mask(r *infer.Reconstructor, i int) []bool {
	if c.MaskRatio == 0 {
		return r.Mask(i)
	}
	n := r.Encoder().Grid() * r.Encoder().Grid()
	mask := make([]bool, n)
	for _, p := range tensor.NewRand(c.Seed, streamMasked, uint64(i)).Perm(n)[:c.hidden(n)] {
		mask[p] = true
	}
	return mask
}

// content rebuilds images of ds. Those that cannot be read are named and left out.
func (c *rebuildCmd) content(a *app, r *infer.Reconstructor, ds data.Dataset) (*rebuilt.Content, error) {
	content := &rebuilt.Content{Model: plain.Name(c.Model), Grid: r.Encoder().Grid(), Standardised: r.Standardised()}
	index := tensor.NewRand(c.Seed, streamShown).Perm(ds.Len())[:min(c.Shown, ds.Len())]
	slices.Sort(index)
	for _, i := range index {
		if err := a.ctx.Err(); err != nil {
			return nil, err
		}
		img, err := data.Decoded(ds, i)
		if err != nil {
			newReporter(a.errOut).Warning(method.SkippedText(data.Skipped{Index: i, Err: err}))
			continue
		}
		one := rebuilt.Image{Name: plain.Name(filepath.Base(ds.Name(i))), Mask: c.mask(r, i)}
		if one.Reconstruction, err = r.Reconstruct(img, one.Mask); err != nil {
			return nil, err
		}
		content.Images = append(content.Images, one)
	}
	if len(content.Images) == 0 {
		return nil, errors.New("no image could be read")
	}
	return content, nil
}

// write writes the files, and says which.
func (c *rebuildCmd) write(a *app, content *rebuilt.Content) error {
	written, err := writeBoth(c.Out, content, rebuilt.WritePNG, rebuilt.WritePage)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, plain.Text(fmt.Sprintf("%d images rebuilt: %s", len(content.Images), strings.Join(written, ", "))))
	return err
}
