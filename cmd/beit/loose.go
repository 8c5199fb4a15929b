package main

import (
	"fmt"
	"image"
	"io/fs"
	"os"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// readImage opens an image by itself, turned as the run that made a model turned its own. Its name need not be UTF-8.
func readImage(path string, run *config.Config) (loneImage, error) {
	var options []data.Option
	if run.Data.ExifTranspose {
		options = append(options, data.ExifTranspose())
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, usagef("%s is a folder: name one image", path)
	}
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := decodeImage(file, run, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// loneImage is an image that a dataset can have and that a model takes by itself.
type loneImage interface {
	data.Image
	image.Image
}

// decodeImage decodes an image in the form that a run's network sees.
func decodeImage(file fs.File, run *config.Config, options []data.Option) (loneImage, error) {
	limits := data.DefaultLimits.AtMost(run.Data.MaxPixels)
	if run.Raw() {
		return data.ReadRaster(file, run.Channels(), limits, options...)
	}
	return data.ReadImage(file, limits, options...)
}

// loose is a dataset of image files that are named one by one. Each is read when it is asked for.
type loose struct {
	paths []string
	run   *config.Config // says how they are turned
}

func (l loose) Len() int          { return len(l.paths) }
func (l loose) Name(i int) string { return l.paths[i] }
func (l loose) Label(int) int     { return -1 }
func (l loose) Classes() []string { return nil }

func (l loose) Sample(i int) (data.Sample, error) {
	m, err := readImage(l.paths[i], l.run)
	if err != nil {
		return data.Sample{}, err
	}
	return data.Sample{Image: m, Label: -1}, nil
}

// looseImages are image files, each of which is there.
func looseImages(paths []string, run *config.Config) (ds data.Dataset, done func() error, err error) {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return nil, nil, err
		}
	}
	return loose{paths, run}, func() error { return nil }, nil
}

// holdsImages says whether a path is that of images rather than of one: a folder, an archive or a list, or synthetic images.
func holdsImages(path string) bool {
	_, err := os.Stat(path)
	return isFolder(path) || data.IsSource(path) || err != nil && strings.Contains(path, ":")
}

// single is a dataset of one image that was read.
type single struct {
	name  string
	image data.Image
}

func (s single) Len() int          { return 1 }
func (s single) Name(int) string   { return s.name }
func (s single) Label(int) int     { return -1 }
func (s single) Classes() []string { return nil }

func (s single) Sample(int) (data.Sample, error) { return data.Sample{Image: s.image, Label: -1}, nil }
