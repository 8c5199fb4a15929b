package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/probe"
)

// probeCmd groups the probes.
type probeCmd struct {
	Linear probeLinearCmd `cmd:"" help:"Train a linear classifier on frozen features."`
	KNN    probeKNNCmd    `cmd:"" name:"knn" help:"Classify by k-NN among frozen features."`
}

// probeFlags are common to the probes.
type probeFlags struct {
	measureFlags `set:"model_is=Backbone, tokenizer (its encoder is probed) or classifier"`
	Tokenizer    string   `placeholder:"MODEL" help:"Tokenizer whose teacher's features stand beside (that of the run)."`
	Alone        bool     `help:"Probe the backbone alone: not the untrained one, raw pixels and the teacher's features too."`
	Pool         []string `default:"cls,mean,grid" placeholder:"NAME,…" help:"How patches become one vector: cls, the class token; mean; grid, the means of 4 x 4 cells side by side (cls,mean,grid)."`
	Both         bool     `help:"Probe cls and mean side by side too."`
	Raw          bool     `help:"Take tokens before the final norm."`
	JSON         bool     `name:"json" help:"Print figures as JSON."`
}

// probeLinearCmd is "beit probe linear".
type probeLinearCmd struct {
	probeFlags
	Protocol string    `enum:"features,layers" default:"features" help:"features: one classifier on each kind of features of the last block, computed once; layers: one on the output of every block, on augmented images, as BEiT's script does."`
	Epochs   *int      `placeholder:"N" help:"Epochs (30, by layers 100)."`
	Seeds    *int      `placeholder:"N" help:"By features: classifiers trained; the mean is reported (3)."`
	Norm     string    `enum:"standardize,batchnorm,none" default:"standardize" help:"By features: standardize each over the training images; batchnorm without affine weights, as MAE's script does; none."`
	Plain    bool      `hidden:"" help:"--norm none."`
	Batch    *int      `placeholder:"N" help:"By layers: images in a batch (1024)."`
	LR       []float64 `name:"lr" placeholder:"F,…" help:"Learning rate (2e-3, by layers 1e-3 for each 256 images of a batch). By features, of several the best on a fifth of the training images."`
	SGD      bool      `name:"sgd" help:"By layers: SGD with momentum in place of AdamW."`
}

// Run trains linear probes.
func (c *probeLinearCmd) Run(a *app) error {
	if c.Epochs != nil && *c.Epochs < 1 || c.Seeds != nil && *c.Seeds < 1 || c.Batch != nil && *c.Batch < 1 || slices.ContainsFunc(c.LR, func(lr float64) bool { return !(lr > 0) }) {
		return usagef("--epochs, --seeds and --batch must be at least 1, and --lr positive")
	}
	if err := c.foreign(); err != nil {
		return err
	}
	if c.Protocol == "layers" {
		if len(c.LR) > 1 {
			return usagef("--lr %s: --protocol layers takes one learning rate", strings.Trim(fmt.Sprint(c.LR), "[]"))
		}
		return c.layers(a)
	}
	cfg := probe.LinearDefaults
	if cfg.Norm = probe.FeatureNorm(c.Norm); c.Plain {
		cfg.Norm = probe.NormNone
	}
	if len(c.LR) > 0 {
		cfg.LRs = c.LR
	}
	if c.Epochs != nil {
		cfg.Epochs = *c.Epochs
	}
	if c.Seeds != nil {
		cfg.Seeds = *c.Seeds
	}
	return c.probe(a, func(train, val probe.Features, seed uint64) ([]scored, error) {
		cfg.Seed = seed
		r, err := probe.Linear(a.ctx, a.dev, train, val, cfg)
		return []scored{{Score: r.Score, LR: r.LR, Seeds: len(r.Seeds), Spread: r.Spread()}}, err
	})
}

// foreign refuses flags that the other protocol alone looks at.
func (c *probeLinearCmd) foreign() error {
	var given []string
	other := "layers"
	note := func(flag string, set bool) {
		if set {
			given = append(given, flag)
		}
	}
	if c.Protocol == other {
		other = "features"
		note("--seeds", c.Seeds != nil)
		note("--norm", c.Norm != string(probe.NormStandardize))
		note("--plain", c.Plain)
		note("--pool", len(c.Pool) != len(probe.Pools))
		note("--tokenizer", c.Tokenizer != "")
		note("--alone", c.Alone)
		note("--both", c.Both)
		note("--raw", c.Raw)
	} else {
		note("--batch", c.Batch != nil)
		note("--sgd", c.SGD)
	}
	if len(given) == 0 {
		return nil
	}
	return usagef("only --protocol %s has %s: choose it, or leave them away", other, strings.Join(given, ", "))
}

// layersConfig is the protocol for so many training images. A batch holds no more than those, and the learning rate follows it unless given.
func (c *probeLinearCmd) layersConfig(images int) probe.LayersConfig {
	cfg := probe.LayersDefaults
	if c.Epochs != nil {
		cfg.Epochs = *c.Epochs
	}
	if c.Batch != nil {
		cfg.Batch = *c.Batch
	}
	cfg.Batch = min(cfg.Batch, images)
	if cfg.LR *= float64(cfg.Batch) / float64(probe.LayersDefaults.Batch); len(c.LR) > 0 {
		cfg.LR = c.LR[0]
	}
	cfg.SGD = c.SGD
	return cfg
}

// layerScore is one line of the result of protocol layers.
type layerScore struct {
	Block int `json:"block"` // from 1
	probe.Score
}

// layers probes every block.
func (c *probeLinearCmd) layers(a *app) error {
	r := newReporter(a.errOut)
	subject, err := c.open(a, a.env(r))
	if err != nil {
		return err
	}
	defer subject.Close()
	blocks, ok := subject.Encoder.Encoder.(probe.LayerModel)
	if !ok {
		return fmt.Errorf("%s: its blocks cannot be looked into", subject.Model.Path)
	}
	cfg := c.layersConfig(subject.Images.Train.Len())
	cfg.Seed = c.seed(subject.Model.Config)
	cfg.Skipped = func(s data.Skipped) { r.Warning(method.SkippedText(s)) }
	cfg.Progress = func(epoch, batch, batches int) {
		r.Progress(method.Progress{Method: "probe", Phase: "layers", Done: batch, Total: batches, Epoch: epoch, Epochs: cfg.Epochs})
	}
	input := probe.Input{Size: subject.Encoder.ViT.ImageSize, Norm: subject.Encoder.Norm}
	scores, err := probe.Layers(a.ctx, a.dev, subject.Images.Train, subject.Images.Val, blocks, input, cfg)
	r.clear()
	if err != nil {
		return err
	}
	var list []layerScore
	best := 0
	for i, s := range scores {
		list = append(list, layerScore{i + 1, s})
		if s.Top1 > scores[best].Top1 {
			best = i
		}
	}
	if c.JSON {
		return printJSON(a.out, list)
	}
	var t experiment.Table
	t.Add("block", "top-1", "top-5", "macro accuracy")
	for i, s := range list {
		name := fmt.Sprint(s.Block)
		if i == best {
			name += " best"
		}
		t.Add(name, method.Percent(s.Top1), method.Percent(s.Top5), method.Percent(s.MacroAccuracy))
	}
	return t.Print(a.out)
}

// probeKNNCmd is "beit probe knn".
type probeKNNCmd struct {
	probeFlags
	K           []int   `name:"k" default:"20" placeholder:"N,…" help:"Neighbours; several numbers give several lines."`
	Temperature float64 `default:"0.07" placeholder:"T" help:"A neighbour of cosine s has weight exp(s/T)."`
}

// Run classifies by k-NN.
func (c *probeKNNCmd) Run(a *app) error {
	if len(c.K) == 0 || slices.Min(c.K) < 1 || !(c.Temperature > 0) {
		return usagef("--k %s, --temperature %g: both must be positive", strings.Trim(fmt.Sprint(c.K), "[]"), c.Temperature)
	}
	return c.probe(a, func(train, val probe.Features, _ uint64) (list []scored, err error) {
		scores, err := probe.KNNs(a.ctx, a.dev, train, val, c.K, c.Temperature)
		for i, s := range scores {
			list = append(list, scored{K: c.K[i], Score: s})
		}
		return list, err
	})
}

// probed is one line of a probe's result.
type probed struct {
	Network string `json:"network"`
	Feature string `json:"feature"`
	Dim     int    `json:"dim"`
	scored
}

// scored is a score: of k-NN with K, of a linear probe with the learning rate, the number of classifiers and the standard deviation between them.
type scored struct {
	K      int     `json:"k,omitempty"`
	LR     float64 `json:"lr,omitempty"`
	Seeds  int     `json:"seeds,omitempty"`
	Spread float64 `json:"top1_spread,omitempty"`
	probe.Score
}

// open opens the model and the images.
func (f probeFlags) open(a *app, e experiment.Env) (*experiment.Subject, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	images := func(m *model.Model, size int) (*method.Images, error) { return f.openBoth(e.Reporter, m, size) }
	return experiment.OpenSubject(e, f.Model, images, f.options(a, encoders)...)
}

// probe scores every kind of features of the model and of what stands beside it.
func (f probeFlags) probe(a *app, score func(train, val probe.Features, seed uint64) ([]scored, error)) error {
	pools, err := probe.ParsePools(f.Pool)
	if err != nil || len(pools) == 0 {
		return usagef("--pool %s: name some of cls, mean and grid", strings.Join(f.Pool, ","))
	}
	if f.Both && !(slices.Contains(pools, probe.PoolCLS) && slices.Contains(pools, probe.PoolMean)) {
		return usagef("--both joins cls and mean: name both with --pool")
	}
	r := newReporter(a.errOut)
	e := a.env(r)
	subject, err := f.open(a, e)
	if err != nil {
		return err
	}
	defer subject.Close()
	seed := f.seed(subject.Model.Config)
	samples, err := subject.Samples(a.ctx, e, experiment.Beside{Pools: pools, Alone: f.Alone, Both: f.Both, Raw: f.Raw, Tokenizer: f.Tokenizer, Seed: seed})
	r.clear()
	if err != nil {
		return err
	}
	var list []probed
	for _, s := range samples {
		result, err := score(s.Train, s.Val, seed)
		if err != nil {
			return err
		}
		for _, r := range result {
			list = append(list, probed{s.Network, s.Train.Name, s.Train.Dim, r})
		}
	}
	if f.JSON {
		return printJSON(a.out, list)
	}
	return printProbes(a.out, list)
}

func printProbes(w io.Writer, list []probed) error {
	var t experiment.Table
	t.Add("network", "feature", "dim", "top-1", "top-5", "macro accuracy")
	for _, p := range list {
		if p.K > 0 && several(list) {
			p.Feature += fmt.Sprintf(" (%d)", p.K)
		}
		top1 := method.Percent(p.Top1)
		if p.Seeds > 1 {
			top1 = fmt.Sprintf("%.1f ± %.1f %%", 100*p.Top1, 100*p.Spread)
		}
		t.Add(p.Network, p.Feature, fmt.Sprint(p.Dim), top1, method.Percent(p.Top5), method.Percent(p.MacroAccuracy))
	}
	return t.Print(w)
}

// several says whether the lines differ in their numbers of neighbours.
func several(list []probed) bool {
	return slices.ContainsFunc(list, func(p probed) bool { return p.K != list[0].K })
}
