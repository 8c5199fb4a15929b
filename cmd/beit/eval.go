package main

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
)

// evalCmd is "beit eval".
type evalCmd struct {
	measureFlags `set:"model_is=Classifier"`
	ClassNames   string   `placeholder:"FILE" help:"The names of the classifier's outputs, one a line, where its file has none."`
	ClassMask    string   `placeholder:"FILE" help:"The outputs that compete, all others being left out: names or numbers, one a line, or a JSON list of them or of true and false for each output."`
	Set          []string `sep:"none" placeholder:"KEY=VALUE" help:"Assignment of a key of data, for example data.eval.batch=64; may be repeated."`
	JSON         bool     `name:"json" help:"Print figures as JSON."`
}

// evaluated is the result.
type evaluated struct {
	Model string `json:"model"`
	finetune.Report
}

// Run measures a classifier on the validation images; where there are none, on the part that its run set aside of the same images, or else on all.
func (c *evalCmd) Run(a *app) error {
	for _, s := range c.Set {
		if !strings.HasPrefix(strings.TrimSpace(s), "data.") {
			return usagef("--set %s: only keys of data can be set here, such as data.eval.batch", s)
		}
	}
	if err := c.check(); err != nil {
		return err
	}
	r := newReporter(a.errOut)
	m, err := c.open(a, classifiers)
	if err != nil {
		return err
	}
	defer m.Close()
	t, err := finetune.Build(a.dev, m)
	if err != nil {
		return err
	}
	defer t.Set.Release()
	if c.ClassNames != "" {
		if m.Classes, err = readNames(c.ClassNames, t.Outputs()); err != nil {
			return err
		}
	}
	cfg, err := c.configure(m.Config)
	if err != nil {
		return err
	}
	cfg.Data.CacheMB = 0 // each image is read once
	if err := override(r, cfg, c.Set); err != nil {
		return err
	}
	report, err := c.measure(a, t, cfg, r)
	r.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, evaluated{m.Path, report})
	}
	return printPairs(a.out,
		[2]string{"model", m.Path},
		[2]string{"images, classes", fmt.Sprintf("%d, %d", report.Images, report.Classes)},
		[2]string{"top-1", fmt.Sprintf("%.2f %%  (macro accuracy %.2f %%)", 100*report.Top1, 100*report.MacroAccuracy)},
		[2]string{"top-5", fmt.Sprintf("%.2f %%", 100*report.Top5)},
		[2]string{"cross-entropy", fmt.Sprintf("%.4f nat", report.Loss)},
	)
}

// measure opens the images and measures.
func (c *evalCmd) measure(a *app, t *finetune.Trained, cfg *config.Config, r *reporter) (finetune.Report, error) {
	images, err := c.images(r, t.Model, cfg, finetune.Method.ImageSize(cfg))
	if err != nil {
		return finetune.Report{}, err
	}
	defer images.Close()
	val, note := validation(images, cfg)
	if len(val.Classes()) == 0 {
		return finetune.Report{}, usagef("%s: the images have no labels: %s", cfg.Data.Path, data.WhyUnlabelled(val))
	}
	images.Tell(r)
	if note != "" {
		r.Notice(note)
	}
	outputs, byOrder, err := chooseOutputs(c.ClassMask, t.Model.Classes, t.Outputs(), val.Classes())
	if err != nil {
		return finetune.Report{}, err
	}
	if byOrder && t.Model.Classes != nil {
		r.Notice("the classifier knows none of the images' classes by name: they are taken for its classes in the same order")
	}
	env := experiment.EvalEnv(a.env(r), finetune.Method, cfg, cfg.Data.Eval, nil, val)
	return finetune.Evaluate(a.ctx, env, t, val, outputs)
}

// validation returns the images for validation; where there is no such part, those that data.val_fraction sets aside, or else all. note says which.
func validation(images *method.Images, cfg *config.Config) (val data.Dataset, note string) {
	switch {
	case images.Val == nil:
		return images.Train, fmt.Sprintf("%s has no validation part: all %d images are measured", cfg.Data.Path, images.Train.Len())
	case images.Split:
		note = fmt.Sprintf("%s has no validation part: the share of %g that data.val_fraction sets aside is measured, all with --set data.val_fraction=0", cfg.Data.Path, cfg.Data.ValFraction)
	}
	return images.Val, note
}
