package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// compareCmd is "beit compare".
type compareCmd struct {
	imageFlags
	Out      string   `required:"" placeholder:"DIR" help:"Folder for runs and tables. Called again with the same flags, what is there is kept and continued."`
	Entries  string   `placeholder:"FILE" help:"TOML file of entries to lay side by side at equal cost, in place of tables: each a chain of tokenizer, pretrain and finetune. cmd/beit/README.md has an example."`
	Preset   string   `placeholder:"NAME" help:"Preset of tokenizer and backbone (small32)."`
	Finetune string   `placeholder:"NAME" help:"Preset of fine-tuning (that of --preset)."`
	Table    []string `placeholder:"NAME,…" help:"Tables to make (all): decoder, dim, codes, aggregation, teacher, network, alive."`
	Seeds    []int64  `placeholder:"N,…" help:"Seeds of every row's runs: figures are means ± standard deviations. All see the same images (one seed, of --set seed=N or the preset)."`
	FineTune bool     `help:"Fine-tune the rows of decoder, dim, codes, aggregation and teacher too. Those of network always are."`
	Depths   []int    `placeholder:"N,…" help:"Depths of the tokenizer's decoder (1,3)."`
	Dims     []int    `placeholder:"D,…" help:"Dimensions of a code (half, once and twice the preset's)."`
	Codes    []int    `placeholder:"K,…" help:"Sizes of the codebook (half, once and twice the preset's)."`
	Heads    []int    `placeholder:"N,…" help:"Numbers of aggregation blocks (0,1,2,3)."`
	Teacher  []string `placeholder:"NAME|RUN,…" help:"Teachers: hog, hog-ref, run folders of backbones, or clip=FILE, dino=FILE (hog,hog-ref)."`
	Set      []string `sep:"none" placeholder:"[METHOD:]KEY=VALUE" help:"Assignment for every method that has the key, or for one: pretrain:train.epochs=50; may be repeated."`
	JSON     bool     `name:"json" help:"Print the rows as JSON."`
}

// Run makes the tables, or lays entries side by side.
func (c *compareCmd) Run(a *app) error {
	if err := checkExperiment(c.Out); err != nil {
		return err
	}
	images, eval := c.paths()
	comparison := experiment.Comparison{
		Data: images, EvalData: eval, ValFraction: c.ValFraction, Out: c.Out, Set: append(c.exifFlag.assignments(), c.Set...),
	}
	if c.Entries != "" {
		return c.entries(a, comparison)
	}
	comparison.Preset, comparison.Finetune, comparison.Tables = cmp.Or(c.Preset, config.DefaultPreset), c.Finetune, c.Table
	comparison.Depths, comparison.Heads, comparison.Teachers = otherwise(c.Depths, 1, 3), otherwise(c.Heads, 0, 1, 2, 3), otherwise(c.Teacher, "hog", "hog-ref")
	comparison.Dims, comparison.Codes, comparison.Seeds, comparison.FineTune = c.Dims, c.Codes, c.Seeds, c.FineTune
	rows, err := compared(c, a, func(e experiment.Env) ([]experiment.Row, error) { return experiment.Compare(a.ctx, e, comparison) })
	if err != nil {
		return err
	}
	return c.print(a, rows, experiment.Markdown(rows), experiment.MarkdownFile, experiment.CSVFile)
}

// entries lays the entries of a file side by side.
func (c *compareCmd) entries(a *app, comparison experiment.Comparison) error {
	for flag, given := range map[string]bool{
		"--preset": c.Preset != "", "--finetune": c.Finetune != "", "--table": c.Table != nil, "--seeds": c.Seeds != nil,
		"--fine-tune": c.FineTune, "--depths": c.Depths != nil, "--dims": c.Dims != nil, "--codes": c.Codes != nil, "--heads": c.Heads != nil,
		"--teacher": c.Teacher != nil, "--set": c.Set != nil,
	} {
		if given {
			return usagef("%s belongs to the tables: with --entries leave it away, and say in %s what entries are", flag, c.Entries)
		}
	}
	list, err := experiment.ReadEntries(c.Entries)
	if err != nil {
		return err
	}
	s, err := compared(c, a, func(e experiment.Env) (*experiment.Standing, error) {
		return experiment.CompareEntries(a.ctx, e, comparison, list)
	})
	if err != nil {
		return err
	}
	return c.print(a, s, s.Markdown(), experiment.MarkdownFile, experiment.CSVFile, experiment.CorrectFile, experiment.PageFile)
}

// otherwise is a list, or its default where it is empty.
func otherwise[T any](list []T, defaults ...T) []T {
	if len(list) == 0 {
		return defaults
	}
	return list
}

// compared runs a comparison, and says what to do when it ends early.
func compared[T any](c *compareCmd, a *app, f func(experiment.Env) (T, error)) (T, error) {
	a.train()
	r := newReporter(a.errOut)
	result, err := attempt(func() (T, error) { return f(a.env(r)) })
	r.clear()
	if err != nil {
		err = adviseAll(a, err, fmt.Sprintf("what is done is in %s: the same command goes on", c.Out), "the same command goes on with what is done")
		if errors.Is(err, train.ErrNotFinite) {
			err = fmt.Errorf("%w: begin again with a lower train.lr, or with train.clip set, and with another --out", err)
		}
	}
	return result, err
}

// print shows a result, and says in which files of the folder it is.
func (c *compareCmd) print(a *app, result any, text string, files ...string) error {
	if c.JSON {
		return printJSON(a.out, result)
	}
	if _, err := io.WriteString(a.out, text); err != nil {
		return err
	}
	last := len(files) - 1
	fmt.Fprintf(a.errOut, "%s and %s are in %s\n", strings.Join(files[:last], ", "), files[last], plain.Text(c.Out))
	return nil
}

// adviseAll adds to the error that ended an experiment what to do about it: stopped after an interruption, failed where a run of it failed.
func adviseAll(a *app, err error, stopped, failed string) error {
	var one *experiment.RunError
	switch {
	case errors.Is(err, train.ErrInterrupted), errors.Is(err, context.Canceled) && a.ctx.Err() != nil:
		return fmt.Errorf("%w; %s", train.ErrInterrupted, stopped)
	case errors.As(err, &one) && !errors.Is(err, train.ErrNotFinite) && !errors.Is(err, train.ErrNoStep): // which would come again
		return fmt.Errorf("%w; %s", advise(err, one.Method, one.Dir), failed)
	}
	return err
}
