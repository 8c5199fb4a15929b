package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// segmentPredictCmd is "beit segment predict".
type segmentPredictCmd struct {
	modelArg `set:"model_is=Segmenter"`
	imagesArg
	partFlag
	viewFlags
	Out           string  `required:"" placeholder:"DIR" help:"Folder to write to: ids/ with the number of the class in each pixel, colours/, overlays/, and areas.csv. Folders of the images are kept."`
	MinConfidence float64 `placeholder:"F" help:"Pixels whose class is less probable get the value ${ignored} in ids, so that the masks can be trained on."`
}

// ignoredID is the value of pixels without a class in masks that are written.
const ignoredID = data.NoClass

// Run segments images. What cannot be read is named and left out, and the others are written nonetheless.
func (c *segmentPredictCmd) Run(a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	if !(c.MinConfidence >= 0 && c.MinConfidence <= 1) {
		return usagef("--min-confidence %g: must be in [0, 1]", c.MinConfidence)
	}
	m, err := c.openSegmenter(a)
	if err != nil {
		return err
	}
	defer m.Close()
	ds, done, err := c.partFlag.openFor(a, segment.WithoutMasks(m.Config()), m.ImageSize(), c.named()...)
	if err != nil {
		return err
	}
	defer done()
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return err
	}
	w := segmentWriter{dir: c.Out, min: float32(c.MinConfidence), palette: m.Palette(), names: m.Names(), ds: ds}
	failed, err := pass(a, "segment", ds, m.SegmentDataset, w.write)
	if err == nil {
		err = w.writeAreas()
	}
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d images could not be read: they are named above, and left out", failed)
	}
	return printPairs(a.out, [2]string{"images", fmt.Sprint(len(w.areas))}, [2]string{"folder", c.Out})
}

// openSegmenter opens the model with the flags of the view.
func (c *segmentPredictCmd) openSegmenter(a *app) (*infer.Segmenter, error) {
	opt := infer.SegmentOptions{Taps: c.Taps, Whole: c.Whole, Flip: c.Flip}
	if c.Stride != nil {
		if opt.Stride = *c.Stride; opt.Stride < 1 {
			return nil, usagef("--stride %d: must be at least 1", opt.Stride)
		}
	}
	var err error
	if opt.Scales, err = parseScales(c.Scales, c.Whole); err != nil {
		return nil, err
	}
	return openWith(a, c.modelArg, segmenters, func(path string, o infer.Options) (*infer.Segmenter, error) {
		opt.Options = o
		return infer.OpenSegmenter(path, opt)
	})
}

// segmentWriter writes what was found in images.
type segmentWriter struct {
	dir     string
	min     float32
	palette color.Palette
	names   []string
	ds      data.Dataset
	areas   [][]string
	written map[string]string // names of images by the files that they were written to
}

// Folders of segment predict.
const (
	idsFolder      = "ids"
	coloursFolder  = "colours"
	overlaysFolder = "overlays"
	areasFile      = "areas.csv"
)

// write writes the files of one image.
func (w *segmentWriter) write(item infer.Item[*infer.Segmentation]) error {
	file, err := w.fileOf(item.Name)
	if err != nil {
		return err
	}
	s := item.Value
	box := image.Rect(0, 0, s.W, s.H)
	ids, colours := image.NewGray(box), image.NewPaletted(box, w.palette)
	for i, class := range s.Class {
		ids.Pix[i], colours.Pix[i] = uint8(class), uint8(class)
		if s.Confidence[i] < w.min {
			ids.Pix[i] = ignoredID
		}
	}
	shown, err := data.Decoded(w.ds, item.Index)
	if err != nil {
		return err
	}
	for folder, m := range map[string]image.Image{idsFolder: ids, coloursFolder: colours, overlaysFolder: overlay(shown, s, w.palette)} {
		if err := writePNG(filepath.Join(w.dir, folder, filepath.FromSlash(file)), m); err != nil {
			return err
		}
	}
	row := []string{plain.Name(item.Name)}
	for _, share := range s.Areas(len(w.names)) {
		row = append(row, strconv.FormatFloat(share, 'f', 6, 64))
	}
	w.areas = append(w.areas, row)
	return nil
}

// fileOf is the name of the files for an image: its own with the ending .png. It never leads out of the folder.
func (w *segmentWriter) fileOf(name string) (string, error) {
	local := filepath.ToSlash(name)
	if !filepath.IsLocal(filepath.FromSlash(local)) {
		local = filepath.Base(name)
	}
	file := strings.TrimSuffix(local, filepath.Ext(local)) + ".png"
	if w.written == nil {
		w.written = map[string]string{}
	}
	if other, ok := w.written[file]; ok {
		return "", fmt.Errorf("%s and %s would both be written to %s: name them in two commands", plain.Text(other), plain.Text(name), plain.Text(file))
	}
	w.written[file] = name
	return file, nil
}

// overlay mixes an image with the colours of its classes.
func overlay(m *data.RGB, s *infer.Segmentation, palette color.Palette) image.Image {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i, class := range s.Class {
		c := palette[class].(color.RGBA)
		for k, v := range [3]uint8{c.R, c.G, c.B} {
			out.Pix[4*i+k] = uint8((int(m.Pix[3*i+k]) + int(v) + 1) / 2)
		}
		out.Pix[4*i+3] = 255
	}
	return out
}

// writePNG writes an image, and its folder.
func writePNG(path string, m image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return state.WriteFileAtomic(path, func(out io.Writer) error { return png.Encode(out, m) })
}

// writeAreas writes the table of areas.
func (w *segmentWriter) writeAreas() error {
	if len(w.areas) == 0 {
		return errors.New("no image could be read")
	}
	head := []string{"image"}
	for _, name := range w.names {
		head = append(head, plain.Name(name))
	}
	return state.WriteFileAtomic(filepath.Join(w.dir, areasFile), func(out io.Writer) error {
		c := csv.NewWriter(out)
		return c.WriteAll(append([][]string{head}, w.areas...))
	})
}
