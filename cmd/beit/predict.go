package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// predictCmd is "beit predict".
type predictCmd struct {
	modelArg `set:"model_is=Classifier"`
	imagesArg
	partFlag
	Top        int    `default:"5" placeholder:"N" help:"Classes to name for each (${default})."`
	ClassNames string `placeholder:"FILE" help:"The names of the classifier's outputs, one a line, where its file has none."`
	JSON       bool   `name:"json" help:"Print as JSON."`
}

// predicted is what is said about one image.
type predicted struct {
	Image   string        `json:"image"`
	Classes []infer.Class `json:"classes"` // most probable first
}

// Run names classes. What cannot be read is named and left out, and the others are read nonetheless.
func (c *predictCmd) Run(a *app) error {
	if c.Top < 1 {
		return usagef("--top %d: must be at least 1", c.Top)
	}
	if err := c.check(); err != nil {
		return err
	}
	m, err := openWith(a, c.modelArg, classifiers, infer.OpenClassifier)
	if err != nil {
		return err
	}
	defer m.Close()
	names := m.Names()
	if c.ClassNames != "" {
		if names, err = readNames(c.ClassNames, len(names)); err != nil {
			return err
		}
	}
	list := c.printer(a.out)
	show := func(item infer.Item[[]infer.Class]) error {
		best := slices.Clone(item.Value[:min(c.Top, len(names))]) // the others are not kept
		for i := range best {
			best[i].Name = plain.Name(names[best[i].Index])
		}
		return list.add(predicted{plain.Name(item.Name), best})
	}
	sources, err := c.sources(a, m)
	if err != nil {
		return err
	}
	failed := 0
	for _, s := range sources {
		n, err := s.predict(a, m, show)
		if err != nil {
			return err
		}
		failed += n
	}
	if err := list.close(); err != nil {
		return err
	}
	switch failed {
	case 0:
		return nil
	case 1:
		return errors.New("1 image or folder could not be read: it is named above, and left out")
	}
	return fmt.Errorf("%d images or folders could not be read: they are named above, and left out", failed)
}

// predictSource is a part of the images.
type predictSource struct {
	open  func() (ds data.Dataset, done func() error, err error)
	alone bool // there is no other: what is wrong with it is the command's error
}

// sources are the images in the order in which they are named: folders and archives by themselves, files that follow each other together. A file
// that is alone is opened now.
func (c *predictCmd) sources(a *app, m *infer.Classifier) (list []predictSource, err error) {
	open := func(ds data.Dataset) func() (data.Dataset, func() error, error) {
		return func() (data.Dataset, func() error, error) { return ds, func() error { return nil }, nil }
	}
	all := c.named()
	for rest := all; len(rest) > 0; {
		n := slices.IndexFunc(rest, holdsImages)
		switch {
		case n == 0:
			path := rest[0]
			list = append(list, predictSource{func() (data.Dataset, func() error, error) { return c.partFlag.open(a, m, path) }, len(all) == 1})
			n = 1
		case len(all) == 1:
			image, err := readImage(rest[0], c.over(m.Config()))
			return []predictSource{{open(single{rest[0], image}), true}}, err
		default:
			if n < 0 {
				n = len(rest)
			}
			list = append(list, predictSource{open(loose{rest[:n], c.over(m.Config())}), false})
		}
		rest = rest[n:]
	}
	return list, nil
}

// predict passes over the images. It returns how many could not be read; an error ends the command.
func (s predictSource) predict(a *app, m *infer.Classifier, show func(infer.Item[[]infer.Class]) error) (failed int, err error) {
	ds, done, err := s.open()
	if err != nil && !s.alone {
		newReporter(a.errOut).Warning("left out: " + err.Error())
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	defer done()
	failed, err = pass(a, "predict", ds, m.ClassifyDataset, show)
	var unreadable *data.UnreadableError
	if errors.As(err, &unreadable) && !s.alone {
		err = nil
	}
	return failed, err
}

// predictions prints predictions as they come.
type predictions interface {
	add(p predicted) error
	close() error
}

func (c *predictCmd) printer(w io.Writer) predictions {
	if c.JSON {
		return &jsonList[predicted]{w: w}
	}
	return predictionText{w}
}

// predictionText prints the name of an image, and a line for each class.
type predictionText struct{ w io.Writer }

func (t predictionText) close() error { return nil }

func (t predictionText) add(p predicted) error {
	if _, err := fmt.Fprintln(t.w, plain.Text(p.Image)); err != nil {
		return err
	}
	var table experiment.Table
	for _, k := range p.Classes {
		table.Add("  "+k.Name, method.Percent(float64(k.Probability)))
	}
	return table.Print(t.w)
}
