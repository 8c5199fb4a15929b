package main

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/infer"
)

// predictCmd is "beit predict".
type predictCmd struct {
	Model  string   `arg:"" placeholder:"FILE|RUN" help:"Classifier: a run folder or model file."`
	Images []string `arg:"" name:"image" placeholder:"IMAGE" help:"Images, and folders, archives and lists of them."`
	partFlag
	Top        int    `default:"5" placeholder:"N" help:"Classes to name for each."`
	ClassNames string `placeholder:"FILE" help:"The names of the classifier's outputs, one a line, where its file has none."`
	JSON       bool   `name:"json" help:"Print as JSON."`
}

// predicted is what is said about one image.
type predicted struct {
	Image   string        `json:"image"`
	Classes []infer.Class `json:"classes"` // most probable first
}

// Run names classes.
func (c *predictCmd) Run(a *app) error {
	if c.Top < 1 {
		return usagef("--top %d: must be at least 1", c.Top)
	}
	m, err := infer.OpenClassifier(c.Model, infer.Options{Device: a.dev})
	if err != nil {
		return err
	}
	defer m.Close()
	newReporter(a.errOut).damaged(m.Warnings())
	names := m.Names()
	if c.ClassNames != "" {
		if names, err = readNames(c.ClassNames, len(names)); err != nil {
			return err
		}
	}
	var list []predicted
	for _, path := range c.Images {
		ds, done, err := c.images(a, path, m)
		if err != nil {
			return err
		}
		_, err = pass(a, "predict", ds, m.ClassifyDataset, func(item infer.Item[[]infer.Class]) error {
			best := slices.Clone(item.Value[:min(c.Top, len(names))]) // the others are not kept
			for i := range best {
				best[i].Name = names[best[i].Index]
			}
			list = append(list, predicted{item.Name, best})
			return nil
		})
		done()
		if err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(a.out, list)
	}
	for _, p := range list {
		if _, err := fmt.Fprintln(a.out, p.Image); err != nil {
			return err
		}
		var t experiment.Table
		for _, k := range p.Classes {
			t.Add("  "+k.Name, experiment.Percent(float64(k.Probability)))
		}
		if err := t.Print(a.out); err != nil {
			return err
		}
	}
	return nil
}

// images opens one image, or those of a folder, archive or list.
func (c *predictCmd) images(a *app, path string, m *infer.Classifier) (data.Dataset, func() error, error) {
	if isFolder(path) || data.IsSource(path) {
		return c.open(a, m, path)
	}
	image, err := readImage(path, m.Config())
	return single{path, image}, func() error { return nil }, err
}
