package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/similarpage"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// similarCmd is "beit similar".
type similarCmd struct {
	modelArg `set:"model_is=Backbone or classifier"`
	Image    string `arg:"" help:"The image to which others are compared."`
	imagesArg
	partFlag
	featureFlag
	indexFlag
	Top  int    `default:"10" placeholder:"N" help:"Images to name (${default})."`
	Out  string `placeholder:"FILE" help:"Show them: on a contact sheet, x.png, or on a page with whole names and links, x.html."`
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
	if ext := filepath.Ext(c.Out); c.Out != "" && ext != ".png" && ext != ".html" {
		return usagef("--out %s: name a file that ends in .png, a contact sheet, or in .html, a page", c.Out)
	}
	if err := c.indexFlag.check(); err != nil {
		return err
	}
	if err := c.imagesArg.check(); err != nil {
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
	x, err := c.indexFlag.open(a, enc, c.over(enc.Config()), c.named())
	if err != nil {
		return err
	}
	found := similar{Image: plain.Name(c.Image), Feature: c.Feature}
	found.Skipped, err = x.each(a, "similar", ds, func(item infer.Item[infer.Features]) error {
		found.Compared++
		found.Nearest = insert(found.Nearest, match{plain.Name(item.Name), cosine(want, c.of(item.Value)), item.Index}, c.Top)
		return nil
	})
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := c.show(found, ds, enc.Config()); err != nil {
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

// show draws the image and those found, turned for people.
func (c *similarCmd) show(found similar, ds data.Dataset, run *config.Config) error {
	upright := true
	read, err := readImage(c.Image, exifFlag{&upright}.over(run))
	if err != nil {
		return err
	}
	query := data.Sample{Image: read}.RGB()
	images := make([]*data.RGB, len(found.Nearest))
	for i, m := range found.Nearest {
		if images[i], err = data.Transposed(ds, m.index); err != nil {
			return fmt.Errorf("%s: %w", c.Out, err)
		}
	}
	if filepath.Ext(c.Out) == ".png" {
		return found.sheet(c.Out, query, images)
	}
	dir := filepath.Dir(c.Out)
	list := make([]similarpage.Image, len(images))
	for i, m := range found.Nearest {
		list[i] = similarpage.Image{Name: ds.Name(m.index), Link: linkTo(dir, ds, m.index), Cosine: m.Cosine, RGB: images[i]}
	}
	facts := []similarpage.Fact{
		{Name: "Model", Value: c.Model}, {Name: "Feature", Value: c.Feature}, {Name: "Images compared", Value: strconv.Itoa(found.Compared)},
	}
	return similarpage.Write(c.Out, similarpage.Image{Name: c.Image, Link: report.LinkTo(dir, c.Image), RGB: query}, list, facts)
}

// linkTo is the URL of the file of image i of ds from a page in the folder dir, empty for an image that is no file of its own.
func linkTo(dir string, ds data.Dataset, i int) string {
	if l, ok := ds.(loose); ok {
		return report.LinkTo(dir, l.paths[i])
	}
	if file, ok := data.FileOf(ds, i); ok && file.OnDisk() != "" {
		return report.LinkTo(dir, file.OnDisk())
	}
	return ""
}

// sheet draws a contact sheet.
func (s similar) sheet(name string, query *data.RGB, images []*data.RGB) error {
	tiles := []report.Tile{report.NewTile(query, "like this:", filepath.Base(s.Image))}
	for i, m := range s.Nearest {
		tiles = append(tiles, report.NewTile(images[i], fmt.Sprintf("%d.  %.4f", i+1, m.Cosine), filepath.Base(m.Name)))
	}
	return report.Sheet(name, tiles)
}
