package main

import (
	"fmt"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/pack"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// packCmd is "beit pack".
type packCmd struct {
	Data string `arg:"" placeholder:"DIR|TAR" help:"Images, as for --data."`
	Out  string `arg:"" placeholder:"FILE.tar" help:"File to write."`
	exifFlag
	Size   int    `default:"256" placeholder:"N" help:"Pixels of the shorter side (${default}). Smaller images keep their size."`
	Format string `enum:"jpeg,png" default:"jpeg" help:"Of the files: jpeg, of quality 95, or png."`
}

// Run writes images to an archive, whole or not at all.
func (c *packCmd) Run(a *app) error {
	if c.Size < 1 {
		return usagef("--size %d: must be at least 1", c.Size)
	}
	if filepath.Ext(c.Out) != ".tar" {
		return usagef("%s: name a file that ends in .tar", c.Out)
	}
	upright := &config.Config{Data: config.Data{ExifTranspose: true}} // the files that are written say nothing of it
	images, err := c.openImages(upright, c.Size, c.Data)
	if err != nil {
		return err
	}
	defer images.Close()
	file, err := state.CreatePending(c.Out)
	if err != nil {
		return err
	}
	defer file.Discard()
	r := newReporter(a.errOut)
	defer r.clear()
	done, err := pack.Write(a.ctx, file, images.Train, images.Val, pack.Options{
		Size: c.Size, PNG: c.Format == "png",
		Skipped: func(s data.Skipped) { r.Warning(method.SkippedText(s)) },
		Progress: func(done, total int) {
			r.Progress(method.Progress{Method: "pack", Phase: "images", Done: done, Total: total})
		},
	})
	if err != nil {
		return err
	}
	if err := state.Commit(file); err != nil {
		return err
	}
	r.clear()
	if done.Skipped > 0 {
		r.Notice(fmt.Sprintf("%d of %d images were left out", done.Skipped, done.Skipped+done.Images))
	}
	_, err = fmt.Fprintf(a.out, "%s: %d images, %.1f MB\n", plain.Text(c.Out), done.Images, float64(done.Bytes)/1e6)
	return err
}
