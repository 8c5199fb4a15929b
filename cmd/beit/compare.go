package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// compareCmd is "beit compare".
type compareCmd struct {
	imageFlags
	Out      string   `placeholder:"DIR" help:"Folder for runs and tables. Called again with the same flags, what is there is kept and continued."`
	Entries  string   `placeholder:"FILE" help:"TOML file of entries to lay side by side at equal cost, in place of tables: each a chain of tokenizer, pretrain and finetune. cmd/beit/README.md has an example."`
	Preset   string   `placeholder:"NAME" help:"Preset of all runs (small32)."`
	Finetune string   `placeholder:"NAME" help:"Preset of fine-tuning (that of --preset)."`
	Table    []string `placeholder:"NAME" help:"Tables to make (all): decoder, dim, codes, aggregation, teacher, network, alive."`
	Seeds    []int64  `placeholder:"N" help:"Seeds of every row's runs: figures are means ± standard deviations. All see the same images (one seed, of --set seed=N or the preset; with --methods 1)."`
	FineTune bool     `help:"Fine-tune the rows of decoder, dim, codes, aggregation and teacher too. Those of network always are."`
	Depths   []int    `placeholder:"N" help:"Depths of the tokenizer's decoder (1,3)."`
	Dims     []int    `placeholder:"D" help:"Dimensions of a code (half, once and twice the preset's)."`
	Codes    []int    `placeholder:"K" help:"Sizes of the codebook (half, once and twice the preset's)."`
	Heads    []int    `placeholder:"N" help:"Numbers of aggregation blocks (0,1,2,3)."`
	Teacher  []string `placeholder:"NAME|RUN" help:"Teachers: hog, hog-ref, run folders of backbones, or clip=FILE, dino=FILE (hog,hog-ref)."`
	Set      []string `sep:"none" placeholder:"[METHOD:]KEY=VALUE" help:"Assignment for every method that has the key, or for one: pretrain:train.epochs=50; may be repeated."`

	Methods   []string  `placeholder:"NAME" help:"Ways to pretrain, as --method of beit pretrain names them, to lay side by side at equal cost, in place of tables: k-NN, linear probe, fine-tuning with few labels."`
	Lengths   []float64 `placeholder:"F" help:"With --methods: floating-point operations that a pretraining may take, as they are counted, its tokenizer included, such as 1e13,3e13 (those of the first method's preset)."`
	Fractions []float64 `placeholder:"F" help:"With --methods: parts of the labels that backbones are fine-tuned with (0.01,0.1)."`
	Masks     []string  `sep:"none" placeholder:"PATH" help:"With --methods: images with masks, for the mIoU of a linear head on the frozen backbone; may be repeated."`
	EvalMasks []string  `sep:"none" placeholder:"PATH" help:"Images with masks for validation, where --masks has none."`
	DryRun    bool      `help:"With --methods: say what would be trained, and how many operations that takes, and do no more."`
	JSON      bool      `name:"json" help:"Print the rows as JSON."`
}

// Ways to compare.
const (
	byTables  = "the tables"
	byEntries = "--entries"
	byMethods = "--methods"
)

// Run makes the tables, or lays entries or methods side by side.
func (c *compareCmd) Run(a *app) error {
	way := byTables
	switch {
	case c.Entries != "" && c.Methods != nil:
		return usagef("--entries and --methods: choose one")
	case c.Entries != "":
		way = byEntries
	case c.Methods != nil:
		way = byMethods
	}
	if err := c.foreign(way); err != nil {
		return err
	}
	if c.EvalMasks != nil && c.Masks == nil {
		return usagef("--eval-masks are for the validation of --masks: name those too")
	}
	if c.Out == "" && !c.DryRun {
		return usagef("name a folder for runs and tables with --out DIR")
	}
	if err := checkExperiment(c.Out); err != nil {
		return err
	}
	images, eval := c.paths()
	comparison := experiment.Comparison{
		Data: images, EvalData: eval, ValFraction: c.ValFraction, Out: c.Out, Set: append(c.exifFlag.assignments(), c.Set...),
		Preset: cmp.Or(c.Preset, config.DefaultPreset), Finetune: c.Finetune, Seeds: c.Seeds,
	}
	switch way {
	case byEntries:
		return c.entries(a, comparison)
	case byMethods:
		return c.methods(a, comparison)
	}
	comparison.Tables, comparison.Dims, comparison.Codes, comparison.FineTune = c.Table, c.Dims, c.Codes, c.FineTune
	comparison.Depths, comparison.Heads, comparison.Teachers = otherwise(c.Depths, 1, 3), otherwise(c.Heads, 0, 1, 2, 3), otherwise(c.Teacher, "hog", "hog-ref")
	rows, err := compared(c, a, func(e experiment.Env) ([]experiment.Row, error) { return experiment.Compare(a.ctx, e, comparison) })
	if err != nil {
		return err
	}
	return c.print(a, rows, experiment.Markdown(rows), experiment.MarkdownFile, experiment.CSVFile)
}

// foreign refuses flags that only other ways to compare look at.
func (c *compareCmd) foreign(way string) error {
	for _, f := range []struct {
		flag  string
		given bool
		of    []string
	}{
		{"--preset", c.Preset != "", []string{byTables, byMethods}}, {"--finetune", c.Finetune != "", []string{byTables, byMethods}},
		{"--seeds", c.Seeds != nil, []string{byTables, byMethods}}, {"--set", c.Set != nil, []string{byTables, byMethods}},
		{"--table", c.Table != nil, []string{byTables}}, {"--fine-tune", c.FineTune, []string{byTables}}, {"--depths", c.Depths != nil, []string{byTables}},
		{"--dims", c.Dims != nil, []string{byTables}}, {"--codes", c.Codes != nil, []string{byTables}}, {"--heads", c.Heads != nil, []string{byTables}},
		{"--teacher", c.Teacher != nil, []string{byTables}},
		{"--lengths", c.Lengths != nil, []string{byMethods}}, {"--fractions", c.Fractions != nil, []string{byMethods}},
		{"--masks", c.Masks != nil, []string{byMethods}}, {"--eval-masks", c.EvalMasks != nil, []string{byMethods}}, {"--dry-run", c.DryRun, []string{byMethods}},
	} {
		if !f.given || slices.Contains(f.of, way) {
			continue
		}
		hint := ""
		if way == byEntries {
			hint = ", and say in " + c.Entries + " what entries are"
		}
		return usagef("%s belongs to %s: with %s leave it away%s", f.flag, strings.Join(f.of, " and "), way, hint)
	}
	return nil
}

// methods lays ways to pretrain side by side.
func (c *compareCmd) methods(a *app, comparison experiment.Comparison) error {
	m := experiment.Methods{
		Names: c.Methods, Lengths: c.Lengths, Fractions: otherwise(c.Fractions, 0.01, 0.1), Masks: config.PathsOf(c.Masks...), EvalMasks: config.PathsOf(c.EvalMasks...),
	}
	if c.DryRun {
		r := newReporter(a.errOut)
		plan, err := experiment.PlanMethods(a.ctx, a.env(r), comparison, m)
		r.clear()
		switch {
		case err != nil:
			return err
		case c.JSON:
			return printJSON(a.out, plan)
		}
		return plan.Print(a.out)
	}
	t, err := compared(c, a, func(e experiment.Env) (*experiment.MethodTable, error) {
		return experiment.CompareMethods(a.ctx, e, comparison, m)
	})
	if err != nil {
		return err
	}
	return c.print(a, t, t.Markdown(), experiment.MarkdownFile, experiment.CSVFile)
}

// entries lays the entries of a file side by side.
func (c *compareCmd) entries(a *app, comparison experiment.Comparison) error {
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
		return fmt.Errorf("%w; %s", a.advise(err, one.Method, one.Dir), failed)
	}
	return err
}
