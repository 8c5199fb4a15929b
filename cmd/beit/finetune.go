package main

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
)

// finetuneCmd is "beit finetune".
type finetuneCmd struct {
	runFlags
	LabelFraction float64 `placeholder:"F" help:"Part of each class's training pictures that is used, such as 0.1."`
	Eval          string  `placeholder:"FILE|RUN" help:"Train nothing: measure this classifier on the validation pictures of --data; where there are none, on the part that its run set aside of the same pictures, or else on all."`
	ClassNames    string  `placeholder:"FILE" help:"With --eval: the names of the classifier's outputs, one a line, where its file has none."`
	ClassMask     string  `placeholder:"FILE" help:"With --eval: the outputs that compete, all others being left out: names or numbers, one a line, or a JSON list of them or of true and false for each output."`
}

// Run trains a classifier or measures one.
func (c *finetuneCmd) Run(a *app) error {
	if c.Eval != "" {
		return c.evaluate(a)
	}
	if c.ClassNames != "" || c.ClassMask != "" {
		return usagef("--class-names and --class-mask belong to --eval")
	}
	var extra []string
	if c.LabelFraction != 0 {
		extra = append(extra, "data.labelled="+strconv.FormatFloat(c.LabelFraction, 'g', -1, 64))
	}
	return c.run(a, train.Finetune, extra...)
}

// evaluated is the result of --eval.
type evaluated struct {
	Model string `json:"model"`
	train.ClassifierReport
}

// evaluate measures a classifier.
func (c *finetuneCmd) evaluate(a *app) error {
	if rest := (runFlags{Data: c.Data, EvalData: c.EvalData, ValFraction: c.ValFraction, JSON: c.JSON, configFlags: configFlags{Set: c.Set}}); !reflect.DeepEqual(rest, c.runFlags) || c.LabelFraction != 0 {
		return usagef("--eval trains nothing: beside it stand --data, --eval-data, --val-fraction, --class-names, --class-mask, --set and --json alone")
	}
	for _, s := range c.Set {
		if !strings.HasPrefix(strings.TrimSpace(s), "data.") {
			return usagef("--set %s: beside --eval it changes keys of data alone, such as data.eval.batch", s)
		}
	}
	if c.Data == "" {
		return usagef("name the pictures with --data DIR or --data FILE.tar")
	}
	m, err := train.LoadClassifier(a.dev, c.Eval)
	if err != nil {
		return err
	}
	if c.ClassNames != "" {
		if m.Names, err = readNames(c.ClassNames, m.Config.Finetune.Model.Classes); err != nil {
			return err
		}
	}
	d := &m.Config.Data
	if c.Data != d.Path && !same(c.Data, d.Path) { // the run set nothing aside of these
		d.ValFraction = 0
	}
	d.Path, d.EvalPath, d.Limit, d.Eval.Limit, d.Labelled, d.CacheMB = c.Data, c.EvalData, 0, 0, 1, 0
	d.ValFraction = cmp.Or(c.ValFraction, d.ValFraction) // the run's own sets aside what it did not learn from
	for _, s := range c.Set {
		if err := m.Config.Set(s); err != nil {
			return usageError{err}
		}
	}
	if err := m.Config.Check(); err != nil {
		return usageError{err}
	}
	r := newReporter(a.errOut)
	val, done, err := validation(m.Config, r)
	if err != nil {
		return err
	}
	defer done()
	if len(val.Classes()) == 0 {
		return usagef("%s: the pictures have no labels: a folder for each class is needed; %s", m.Config.Data.Path, data.LoneFolder)
	}
	outputs, byOrder, err := chooseOutputs(c.ClassMask, m.Names, m.Config.Finetune.Model.Classes, val.Classes())
	if err != nil {
		return err
	}
	if byOrder && m.Names != nil {
		r.Notice("the classifier knows none of the pictures' classes by name: they are taken for its classes in the same order")
	}
	report, err := train.EvalClassifier(a.ctx, m, val, outputs, m.Config.Data.Eval, train.Env{Device: a.dev, Reporter: r})
	r.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, evaluated{m.Path, report})
	}
	return printPairs(a.out,
		[2]string{"model", m.Path},
		[2]string{"pictures, classes", fmt.Sprintf("%d, %d", report.Pictures, report.Classes)},
		[2]string{"top-1", fmt.Sprintf("%.2f %%  (mean over classes %.2f %%)", 100*report.Top1, 100*report.Balanced)},
		[2]string{"top-5", fmt.Sprintf("%.2f %%", 100*report.Top5)},
		[2]string{"cross-entropy", fmt.Sprintf("%.4f nat", report.Loss)},
	)
}

// validation opens the pictures for validation; where there is no such part, those that data.val_fraction sets aside, or else all.
func validation(cfg train.Config, r train.Reporter) (val data.Dataset, done func() error, err error) {
	share := cfg.Data.ValFraction
	cfg.Data.ValFraction = 0
	fit, val, done, err := train.OpenPictures(cfg)
	if err != nil || val != nil {
		return val, done, err
	}
	if share == 0 {
		r.Notice(fmt.Sprintf("%s has no validation part: all %d pictures are measured", cfg.Data.Path, fit.Len()))
		return fit, done, nil
	}
	if err := done(); err != nil {
		return nil, nil, err
	}
	r.Notice(fmt.Sprintf("%s has no validation part: the share of %g that data.val_fraction sets aside is measured, all with --set data.val_fraction=0", cfg.Data.Path, share))
	cfg.Data.ValFraction = share
	_, val, done, err = train.OpenPictures(cfg)
	return val, done, err
}
