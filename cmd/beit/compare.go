package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// compareCmd is "beit compare".
type compareCmd struct {
	imageFlags
	Out      string   `required:"" placeholder:"DIR" help:"Folder for runs and tables. Called again with the same flags, what is there is kept and continued."`
	Preset   string   `default:"small32" placeholder:"NAME" help:"Preset of tokenizer and backbone."`
	Finetune string   `placeholder:"NAME" help:"Preset of fine-tuning (that of --preset)."`
	Table    []string `placeholder:"NAME,…" help:"Tables to make (all): decoder, dim, codes, aggregation, teacher, network."`
	Depths   []int    `default:"1,3" placeholder:"N,…" help:"Depths of the tokenizer's decoder."`
	Dims     []int    `placeholder:"D,…" help:"Dimensions of a code (half, once and twice the preset's)."`
	Codes    []int    `placeholder:"K,…" help:"Sizes of the codebook (half, once and twice the preset's)."`
	Heads    []int    `default:"0,1,2,3" placeholder:"N,…" help:"Numbers of aggregation blocks."`
	Teacher  []string `default:"hog,hog-ref" placeholder:"NAME|RUN,…" help:"Teachers: hog, hog-ref, run folders of backbones, or clip=FILE, dino=FILE."`
	Set      []string `sep:"none" placeholder:"[METHOD:]KEY=VALUE" help:"Assignment for every method that has the key, or for one: pretrain:train.epochs=50; may be repeated."`
	JSON     bool     `name:"json" help:"Print the rows as JSON."`
}

// Run makes the tables.
func (c *compareCmd) Run(a *app) error {
	if err := checkExperiment(c.Out); err != nil {
		return err
	}
	a.train()
	c.Set = append(c.exifFlag.assignments(), c.Set...)
	r := newReporter(a.errOut)
	images, eval := c.paths()
	rows, err := attempt(func() ([]experiment.Row, error) {
		return experiment.Compare(a.ctx, experiment.Env{Device: a.dev, Reporter: r}, experiment.Comparison{
			Data: images, EvalData: eval, ValFraction: c.ValFraction, Out: c.Out, Preset: c.Preset, Finetune: c.Finetune, Tables: c.Table,
			Depths: c.Depths, Dims: c.Dims, Codes: c.Codes, Heads: c.Heads, Teachers: c.Teacher, Set: c.Set,
		})
	})
	r.clear()
	if err != nil {
		err = adviseAll(a, err, fmt.Sprintf("what is done is in %s: the same command goes on", c.Out), "the same command goes on with what is done")
		if errors.Is(err, train.ErrNotFinite) {
			return fmt.Errorf("%w: begin again with a lower train.lr, or with train.clip set, and with another --out", err)
		}
		return err
	}
	if c.JSON {
		return printJSON(a.out, rows)
	}
	if _, err := io.WriteString(a.out, experiment.Markdown(rows)); err != nil {
		return err
	}
	fmt.Fprintf(a.errOut, "tables in %s and %s\n", plain.Text(filepath.Join(c.Out, experiment.MarkdownFile)), plain.Text(filepath.Join(c.Out, experiment.CSVFile)))
	return nil
}

// adviseAll adds to the error that ended an experiment what to do about it: stopped after an interruption, failed where a run of it failed.
func adviseAll(a *app, err error, stopped, failed string) error {
	var one *experiment.RunError
	switch {
	case errors.Is(err, train.ErrInterrupted), errors.Is(err, context.Canceled) && a.ctx.Err() != nil:
		return fmt.Errorf("%w; %s", train.ErrInterrupted, stopped)
	case errors.As(err, &one) && !errors.Is(err, train.ErrNotFinite): // which would come again
		return fmt.Errorf("%w; %s", advise(err, one.Method, one.Dir), failed)
	}
	return err
}
