package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// similarCmd is "beit similar".
type similarCmd struct {
	modelArg `set:"model_is=Backbone or classifier"`
	Image    string `arg:"" help:"The image to which others are compared."`
	imagesArg
	partFlag
	featureFlag
	Top  int    `default:"10" placeholder:"N" help:"Images to name."`
	Out  string `placeholder:"FILE.png" help:"Show them on a contact sheet in this file."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// similar is the result.
type similar struct {
	Image    string  `json:"image"`
	Feature  string  `json:"feature"`
	Compared int     `json:"compared"` // images
	Skipped  int     `json:"skipped"`  // images that could not be read
	Nearest  []match `json:"nearest"`  // most similar first
}

// match is an image that was found.
type match struct {
	Name   string  `json:"name"`
	Cosine float64 `json:"cosine"` // of the angle between both images' features
	index  int
}

// Run finds the nearest images.
func (c *similarCmd) Run(a *app) error {
	if c.Top < 1 {
		return usagef("--top %d: must be at least 1", c.Top)
	}
	if c.Out != "" && filepath.Ext(c.Out) != ".png" {
		return usagef("--out %s: the contact sheet is a .png file", c.Out)
	}
	if err := c.check(); err != nil {
		return err
	}
	enc, err := openWith(a, c.modelArg, backbones, infer.OpenEncoder)
	if err != nil {
		return err
	}
	defer enc.Close()
	query, err := readImage(c.Image, c.over(enc.Config()))
	if err != nil {
		return err
	}
	ds, done, err := c.partFlag.open(a, enc, c.named()...)
	if err != nil {
		return err
	}
	defer done()
	var want []float32
	for item, err := range enc.EncodeDataset(a.ctx, single{c.Image, query}, nil) {
		if err != nil {
			return err
		}
		want = c.of(item.Value)
	}
	found := similar{Image: plain.Name(c.Image), Feature: c.Feature}
	found.Skipped, err = pass(a, "similar", ds, enc.EncodeDataset, func(item infer.Item[infer.Features]) error {
		found.Compared++
		found.Nearest = insert(found.Nearest, match{plain.Name(item.Name), cosine(want, c.of(item.Value)), item.Index}, c.Top)
		return nil
	})
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := found.sheet(c.Out, query, ds); err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(a.out, found)
	}
	var t experiment.Table
	t.Add("image", "cosine")
	for _, m := range found.Nearest {
		t.Add(m.Name, fmt.Sprintf("%.4f", m.Cosine))
	}
	return t.Print(a.out)
}

// insert puts m into a list of at most n, the largest cosines first, and those found earlier first among equals.
func insert(list []match, m match, n int) []match {
	at := len(list)
	for at > 0 && list[at-1].Cosine < m.Cosine {
		at--
	}
	if at == n {
		return list
	}
	list = slices.Insert(list, at, m)
	return list[:min(n, len(list))]
}

// cosine of the angle between two vectors; 0 where one has no direction.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// sheet draws the image and those found.
func (s similar) sheet(name string, query *data.RGB, ds data.Dataset) error {
	tiles := []report.Tile{report.NewTile(query, "like this:", filepath.Base(s.Image))}
	for i, m := range s.Nearest {
		image, err := data.Decoded(ds, m.index)
		if err != nil {
			return fmt.Errorf("contact sheet: %w", err)
		}
		tiles = append(tiles, report.NewTile(image, fmt.Sprintf("%d.  %.4f", i+1, m.Cosine), filepath.Base(m.Name)))
	}
	return report.Sheet(name, tiles)
}
