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
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/beit/report/patches"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// drawFlags are those of "beit tokenizer encode --draw".
type drawFlags struct {
	Draw      string   `placeholder:"DIR|FILE.png" help:"Draw the codes of each image in place of writing them, and how well the decoder rebuilds the teacher's features. Of a backbone too: what it predicts of masked patches."`
	Tokenizer string   `placeholder:"PATH" help:"With --draw and a backbone: its tokenizer (the one of its run)."`
	Examples  []string `sep:"none" placeholder:"PATH" help:"With --draw and a backbone: images from which patches are cut to show the codes (those that its run learned from)."`
	Seed      uint64   `default:"1" placeholder:"N" help:"With --draw and a backbone: seed of the mask (${default})."`
}

// drawMaker is the command that makes folders of drawings.
const drawMaker = "beit tokenizer encode --draw"

// otherPictures are endings of files that no command writes.
var otherPictures = []string{".jpg", ".jpeg", ".svg", ".pdf"}

// exampleImages is the number of images in which examples of codes are looked for.
const exampleImages = 256

// drawable are the published models that can be drawn.
var drawable = wanted{"a tokenizer or a pretrained backbone", []weights.Kind{weights.Tokenizer, weights.MIM}}

// drawer draws images.
type drawer struct {
	tok       *infer.Tokenizer
	teacher   *infer.Teacher   // nil where it cannot be opened
	predictor *infer.Predictor // of a backbone; nil for a tokenizer
	seed      uint64           // of masks
	examples  map[int32]infer.Exemplar
}

// single says whether --draw names a file.
func (f drawFlags) single() bool { return filepath.Ext(f.Draw) == ".png" }

// check looks at the flags before anything is computed. out is the value of --out.
func (f drawFlags) check(out string) error {
	switch {
	case f.Draw == "" && (f.Tokenizer != "" || len(f.Examples) > 0):
		return usagef("--tokenizer and --examples go with --draw")
	case f.Draw == "":
		return nil
	case out != "":
		return usagef("--draw and --out: draw codes or write them")
	case f.single():
		return nil
	case slices.Contains(otherPictures, filepath.Ext(f.Draw)) || filepath.Ext(f.Draw) == ".html":
		return usagef("--draw %s: name a folder, or a file that ends in .png", f.Draw)
	}
	if err := report.CheckFolder(f.Draw, drawMaker); err != nil {
		return usagef("--draw %w", err)
	}
	return nil
}

// draw draws all images.
func (c *tokenizerEncodeCmd) draw(a *app) error {
	draw, err := c.openDrawer(a)
	if err != nil {
		return err
	}
	defer draw.close()
	ds, done, err := c.partFlag.open(a, draw.tok, c.named()...)
	if err != nil {
		return err
	}
	defer done()
	if c.single() && ds.Len() > 1 {
		return usagef("--draw %s: there are %d images: name a folder", c.Draw, ds.Len())
	}
	if draw.predictor != nil {
		if draw.examples, err = c.findExamples(a, draw, ds); err != nil {
			return err
		}
	}
	drawn := 1
	if c.single() {
		err = draw.drawOne(ds, 0, c.Draw)
	} else {
		err = report.WriteFolder(c.Draw, drawMaker, func(dir string) error {
			drawn, err = draw.drawAll(a, ds, dir)
			return err
		})
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, plain.Text(fmt.Sprintf("%s: %d of %d images drawn", c.Draw, drawn, ds.Len())))
	return err
}

// openDrawer opens the models.
func (c *tokenizerEncodeCmd) openDrawer(a *app) (*drawer, error) {
	m, err := c.modelArg.open(a, drawable)
	if err != nil {
		return nil, err
	}
	m.Close()
	if m.Kind == weights.Tokenizer && (c.Tokenizer != "" || len(c.Examples) > 0) {
		return nil, usagef("%s is a tokenizer: --tokenizer and --examples are for backbones", c.Model)
	}
	draw := &drawer{seed: c.Seed}
	opt := infer.Options{Device: a.dev, Key: c.Key}
	if m.Kind == weights.MIM {
		path, err := c.tokenizerOf(a, m)
		if err != nil {
			return nil, err
		}
		if draw.predictor, err = infer.OpenPredictor(m.Path, path, opt); err != nil {
			return nil, err
		}
		draw.tok = draw.predictor.Tokenizer()
	} else if draw.tok, err = infer.OpenTokenizer(m.Path, opt); err != nil {
		return nil, err
	}
	if draw.teacher, err = draw.tok.OpenTeacher(a.opener()); err != nil {
		newReporter(a.errOut).Notice(fmt.Sprintf("the cosine with the teacher is left out: %v", err))
	}
	return draw, nil
}

// tokenizerOf is the tokenizer that the flag names for a backbone; empty for that of its run.
func (f drawFlags) tokenizerOf(a *app, backbone *model.Model) (path string, err error) {
	switch {
	case f.Tokenizer != "":
		return model.Find(f.Tokenizer, tokenizers.getter(a))
	case !backbone.Run:
		return "", usagef("%s does not say whose codes it predicts: name its tokenizer with --tokenizer", backbone.Path)
	}
	return "", nil
}

// close closes the models.
func (d *drawer) close() {
	if d.teacher != nil {
		d.teacher.Close()
	}
	if d.predictor != nil {
		d.predictor.Close()
	} else {
		d.tok.Close()
	}
}

// findExamples looks for patches that show the codes: in the images that the flag names, or those of the backbone's run, or those that are drawn.
func (c *tokenizerEncodeCmd) findExamples(a *app, d *drawer, drawn data.Dataset) (map[int32]infer.Exemplar, error) {
	ds, r := drawn, newReporter(a.errOut)
	run := d.predictor.Encoder().Config()
	switch {
	case len(c.Examples) > 0:
		images, err := c.openImages(run, d.tok.ImageSize(), c.Examples...)
		if err != nil {
			return nil, fmt.Errorf("--examples: %w", err)
		}
		defer images.Close()
		ds = images.Train
	case run.Data.Path != "":
		images, err := method.OpenImages(run, d.tok.ImageSize(), nil)
		if err != nil {
			r.Notice(fmt.Sprintf("codes are shown by patches of the images that are drawn: %v", err))
			break
		}
		defer images.Close()
		ds = images.Train
	}
	return d.tok.Exemplars(a.ctx, method.AtMost(ds, exampleImages, run.Seed), nil, nil)
}

// drawAll draws each image into a file of a folder, and returns how many. What cannot be read is named and left out.
func (d *drawer) drawAll(a *app, ds data.Dataset, dir string) (drawn int, err error) {
	r := newReporter(a.errOut)
	defer r.clear()
	for i := range ds.Len() {
		if err := a.ctx.Err(); err != nil {
			return 0, err
		}
		err := d.drawOne(ds, i, filepath.Join(dir, fmt.Sprintf("%05d-%s.png", i, fileName(ds.Name(i)))))
		switch skipped := (*unreadableImage)(nil); {
		case errors.As(err, &skipped):
			r.Warning(skipped.Error())
		case err != nil:
			return 0, err
		default:
			drawn++
		}
		r.Progress(method.Progress{Method: "draw", Phase: "images", Done: i + 1, Total: ds.Len()})
	}
	if drawn == 0 {
		return 0, fmt.Errorf("none of the %d images can be read", ds.Len())
	}
	return drawn, nil
}

// unreadableImage is the error of an image that is left out.
type unreadableImage struct{ error }

// fileName is the end of an image's name in letters that every file system takes.
func fileName(name string) string {
	base := strings.TrimSuffix(filepath.Base(filepath.ToSlash(name)), filepath.Ext(name))
	letters := []rune(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, base))
	return string(letters[:min(len(letters), 60)])
}

// drawOne draws image i of ds into a file.
func (d *drawer) drawOne(ds data.Dataset, i int, name string) error {
	img, err := data.Decoded(ds, i)
	if err != nil {
		return &unreadableImage{fmt.Errorf("%s: %w", ds.Name(i), err)}
	}
	sections, err := d.sections(img, plain.Name(ds.Name(i)))
	if err != nil {
		return err
	}
	return patches.Write(name, sections)
}
