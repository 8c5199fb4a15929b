package main

import (
	"strconv"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// exifFlag says whether images are turned as their EXIF orientation says.
type exifFlag struct {
	ExifTranspose *bool `negatable:"" help:"Turn images as their EXIF orientation says (what the model's run did; new runs of small presets do)."`
}

// assignments is the flag as "key=value", if it was given.
func (f exifFlag) assignments() []string {
	if f.ExifTranspose == nil {
		return nil
	}
	return []string{"data.exif_transpose=" + strconv.FormatBool(*f.ExifTranspose)}
}

// openImages opens all images at some paths, for images of the given side, turned as the flag says or as in the run, in the form that its network sees. None are kept in memory.
func (f exifFlag) openImages(run *config.Config, size int, paths ...string) (*method.Images, error) {
	return method.OpenImages(&config.Config{Seed: run.ImageSeed(), Section: run.Section, Data: config.Data{
		Path: config.PathsOf(paths...), LabelFraction: 1, ExifTranspose: f.over(run).Data.ExifTranspose, MaxPixels: run.Data.MaxPixels,
		Keep16Bits: run.Data.Keep16Bits,
	}}, size, nil)
}

// over is a run's configuration, with the flag over it. It shares the section with run.
func (f exifFlag) over(run *config.Config) *config.Config {
	if f.ExifTranspose == nil || run == nil {
		return run
	}
	c := *run
	c.Data.ExifTranspose = *f.ExifTranspose
	return &c
}
