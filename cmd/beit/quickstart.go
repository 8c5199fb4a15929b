package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/train"
)

// quickstartCmd is "beit quickstart".
type quickstartCmd struct {
	Out    string `placeholder:"DIR" help:"Folder for the runs (runs/quickstart, numbered). A folder of an interrupted quickstart is continued."`
	Rounds int    `default:"1" placeholder:"N" help:"Rounds; from the second on, the backbone of the round before teaches the tokenizer."`
	JSON   bool   `name:"json" help:"Print figures as JSON."`
}

// quickPictures is how many pictures the quickstart draws for training; validation has a fifth of that. With the settings below it takes
// about three minutes on two cores.
const quickPictures = 8000

// quickBoth shrinks small32 to 16 patches and 4 blocks, and takes many small steps.
var quickBoth = []string{
	fmt.Sprintf("data.path=procedural:%d", quickPictures), "log.eval_every=5",
	"train.batch=32", "train.lr_batch=32",
}

var quickTokenizer = append([]string{
	"tokenizer.model.encoder.patch_size=8", "tokenizer.model.encoder.width=96", "tokenizer.model.encoder.depth=4",
	"tokenizer.model.decoder.image_size=4", "tokenizer.model.decoder.width=96", "tokenizer.model.codes=256",
	"train.epochs=6", "train.lr=1e-3",
}, quickBoth...)

var quickPretrain = append([]string{
	"pretrain.model.vit.patch_size=8", "pretrain.model.vit.width=128", "pretrain.model.vit.depth=4", "pretrain.model.vit.heads=4",
	"pretrain.model.vit.layer_scale=0", "pretrain.model.wide_init=true", "pretrain.model.vocab=256",
	"pretrain.mask.rows=4", "pretrain.mask.cols=4", "pretrain.mask.count=6", "pretrain.mask.min_block=2",
	"train.epochs=11", "train.lr=2e-3",
}, quickBoth...)

// quickRound is what one round left.
type quickRound struct {
	Tokenizer       train.TokenizerReport `json:"tokenizer"`
	Pretraining     map[string]float64    `json:"pretraining"` // last validation
	Probes          []quickProbe          `json:"probes"`
	TokenizerFolder string                `json:"tokenizer_folder"`
	BackboneFolder  string                `json:"backbone_folder"`
}

// quickProbe is one kind of features.
type quickProbe struct {
	Network string  `json:"network"`
	Feature string  `json:"feature"`
	Linear  float64 `json:"linear"`
	KNN     float64 `json:"knn"`
}

// Run does the rounds and prints what each stage learned.
func (c *quickstartCmd) Run(a *app) error {
	if c.Rounds < 1 {
		return usagef("--rounds %d: must be at least 1", c.Rounds)
	}
	dir := c.Out
	if dir == "" {
		var err error
		if dir, err = freeFolder(filepath.Join("runs", "quickstart")); err != nil {
			return err
		}
		defer os.Remove(dir) // which fails unless it is empty: no run could begin
	}
	began := time.Now()
	var rounds []quickRound
	teacher := ""
	for i := range c.Rounds {
		r, err := quickstartRound(a, filepath.Join(dir, fmt.Sprintf("round-%d", i+1)), teacher)
		if err != nil {
			if errors.Is(err, train.ErrInterrupted) {
				return fmt.Errorf("%w; continue with: beit quickstart --out %s --rounds %d", err, dir, c.Rounds)
			}
			return err
		}
		rounds, teacher = append(rounds, r), r.BackboneFolder
	}
	if c.JSON {
		return printJSON(a.out, rounds)
	}
	for i, r := range rounds {
		if err := r.print(a, i+1); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.out, "\n%s in all; run folders with metrics and report.html are in %s\n", clock(time.Since(began)), dir)
	return err
}

// quickstartRound trains a tokenizer, by teacher when that names a backbone, and a backbone, and probes it.
func quickstartRound(a *app, dir, teacher string) (quickRound, error) {
	tokDir, backDir := filepath.Join(dir, "tokenizer"), filepath.Join(dir, "backbone")
	r := quickRound{TokenizerFolder: tokDir, BackboneFolder: backDir}
	set := quickTokenizer
	if teacher != "" {
		set = append([]string{"tokenizer.teacher=run", "tokenizer.teacher_run=" + teacher}, set...)
	}
	if _, err := quickStage(a, train.Tokenizer, tokDir, set); err != nil {
		return r, err
	}
	result, err := quickStage(a, train.Pretrain, backDir, append([]string{"pretrain.tokenizer=" + tokDir}, quickPretrain...))
	if err != nil {
		return r, err
	}
	r.Pretraining = result.Final.Values
	return r, r.measure(a, result.Config)
}

// quickStage runs a stage, or continues it where it was begun before, and writes its report.
func quickStage(a *app, stage train.Stage, dir string, set []string) (*train.Result, error) {
	rep := newReporter(a.errOut)
	defer rep.clear()
	env := train.Env{Device: a.dev, Reporter: rep}
	cfg, err := train.Configure(stage, "small32", "", set)
	if err != nil {
		return nil, err
	}
	var result *train.Result
	if _, exists := os.Stat(filepath.Join(dir, "config.toml")); exists == nil {
		result, err = train.Resume(a.ctx, dir, env, nil)
	} else {
		result, err = train.Run(a.ctx, dir, cfg, env)
	}
	if err != nil {
		return nil, err
	}
	return result, writeReport(result)
}

// measure evaluates the tokenizer and probes the backbone on the pictures that both were trained on.
func (r *quickRound) measure(a *app, cfg train.Config) error {
	fit, val, done, err := train.OpenPictures(cfg)
	if err != nil {
		return err
	}
	defer done()
	rep := newReporter(a.errOut)
	defer rep.clear()
	tok, err := train.LoadTokenizer(a.dev, r.TokenizerFolder)
	if err != nil {
		return err
	}
	r.Tokenizer, err = train.EvalTokenizer(a.ctx, tok, fit, val, cfg.Data.Eval, train.Env{Device: a.dev, Reporter: rep})
	if err != nil {
		return err
	}
	rep.live("probing")
	model, err := train.LoadBackbone(a.dev, r.BackboneFolder)
	if err != nil {
		return err
	}
	teacher, err := teacherOf(tok)
	if err != nil {
		return err
	}
	c := model.Model.Config
	fresh, weights := untrained(a, cfg, cfg.Seed)
	defer weights.Release()
	samples, err := extract(a, &pictures{train: fit, val: val}, c.ViT.ImageSize, []contender{
		{"untrained", probe.Backbone(fresh)}, pixels(c.ViT), teacher, {"pretrained", probe.Backbone(model.Model)},
	})
	if err != nil {
		return err
	}
	for _, s := range samples {
		linear, err := probe.Linear(a.ctx, a.dev, s.train, s.val, probe.LinearDefaults)
		if err != nil {
			return err
		}
		knn, err := probe.KNN(a.ctx, a.dev, s.train, s.val, 20, 0.07)
		if err != nil {
			return err
		}
		r.Probes = append(r.Probes, quickProbe{s.network, s.train.Name, linear.Top1, knn.Top1})
	}
	return nil
}
