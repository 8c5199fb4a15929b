package main

import (
	"fmt"
	"io"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
)

// probeCmd groups the probes.
type probeCmd struct {
	Linear probeLinearCmd `cmd:"" help:"Train a linear classifier on frozen features."`
	KNN    probeKNNCmd    `cmd:"" name:"knn" help:"Classify by the nearest neighbours among frozen features."`
}

// probeFlags are common to the probes.
type probeFlags struct {
	Model string `arg:"" placeholder:"FILE|RUN" help:"Backbone or teacher: a run folder or model file."`
	dataFlags
	Tokenizer string `placeholder:"FILE|RUN" help:"Tokenizer whose teacher's features stand beside (that of the run)."`
	Alone     bool   `help:"Probe the backbone alone: not the untrained one, raw pixels and the teacher's features too."`
	JSON      bool   `name:"json" help:"Print figures as JSON."`
}

// probeLinearCmd is "beit probe linear".
type probeLinearCmd struct {
	probeFlags
	Epochs int `default:"30" placeholder:"N" help:"Epochs."`
	Seeds  int `default:"3" placeholder:"N" help:"Classifiers trained; the mean is reported."`
}

// Run trains linear probes.
func (c *probeLinearCmd) Run(a *app) error {
	if c.Epochs < 1 || c.Seeds < 1 {
		return usagef("--epochs %d, --seeds %d: both must be at least 1", c.Epochs, c.Seeds)
	}
	return c.probe(a, func(train, val probe.Features, seed uint64) (probe.Score, error) {
		cfg := probe.LinearDefaults
		cfg.Epochs, cfg.Seeds, cfg.Seed = c.Epochs, c.Seeds, seed
		r, err := probe.Linear(a.ctx, a.dev, train, val, cfg)
		return r.Score, err
	})
}

// probeKNNCmd is "beit probe knn".
type probeKNNCmd struct {
	probeFlags
	K           int     `name:"k" default:"20" placeholder:"N" help:"Neighbours."`
	Temperature float64 `default:"0.07" placeholder:"T" help:"A neighbour of cosine s has weight exp(s/T)."`
}

// Run votes with neighbours.
func (c *probeKNNCmd) Run(a *app) error {
	if c.K < 1 || !(c.Temperature > 0) {
		return usagef("--k %d, --temperature %g: both must be positive", c.K, c.Temperature)
	}
	return c.probe(a, func(train, val probe.Features, _ uint64) (probe.Score, error) {
		return probe.KNN(a.ctx, a.dev, train, val, c.K, c.Temperature)
	})
}

// probed is one line of a probe's result.
type probed struct {
	Network string `json:"network"`
	Feature string `json:"feature"`
	Dim     int    `json:"dim"`
	probe.Score
}

func (f probeFlags) probe(a *app, score func(train, val probe.Features, seed uint64) (probe.Score, error)) error {
	model, err := train.LoadEncoder(a.dev, f.Model)
	if err != nil {
		return err
	}
	seed := f.seed(model.Config)
	set, err := f.openBoth(model.ViT.ImageSize, model.Config)
	if err != nil {
		return err
	}
	defer set.close()
	if set.val, err = data.Relabel(set.val, set.train.Classes()); err != nil {
		return fmt.Errorf("validation pictures: %w", err)
	}
	contenders := []contender{{"pretrained", probe.Backbone(model.Model)}}
	if !f.Alone {
		contenders = append(contenders, untrained(a, model.Config, seed), pixels(model.ViT))
		teacher, err := f.teacher(a, model)
		switch {
		case err != nil && f.Tokenizer != "":
			return err
		case err != nil:
			fmt.Fprintln(a.errOut, "the teacher's own features are left out:", err)
		case teacher != nil:
			contenders = append(contenders, *teacher)
		}
	}
	all, err := extract(a, set, model.ViT.ImageSize, contenders)
	if err != nil {
		return err
	}
	var list []probed
	for _, s := range all {
		result, err := score(s.train, s.val, seed)
		if err != nil {
			return err
		}
		list = append(list, probed{s.network, s.train.Name, s.train.Dim, result})
	}
	if f.JSON {
		return printJSON(a.out, list)
	}
	return printProbes(a.out, list)
}

func printProbes(w io.Writer, list []probed) error {
	var t table
	t.add("network", "feature", "dim", "top-1", "top-5", "balanced")
	for _, p := range list {
		t.add(p.Network, p.Feature, fmt.Sprint(p.Dim), percent(p.Top1), percent(p.Top5), percent(p.Balanced))
	}
	return t.print(w)
}

// teacher is that of the tokenizer named by the flag, or else by the backbone's run; nil for a model that learned from no tokenizer.
func (f probeFlags) teacher(a *app, model *train.EncoderModel) (*contender, error) {
	path := f.Tokenizer
	if path == "" && model.Config.Pretrain == nil {
		return nil, nil
	}
	if path == "" {
		path = model.Config.Pretrain.Tokenizer
	}
	tok, err := train.LoadTokenizer(a.dev, path)
	if err != nil {
		return nil, fmt.Errorf("%w; name a tokenizer with --tokenizer", err)
	}
	teacher, err := teacherOf(tok)
	return &teacher, err
}

// contender is a network whose features are probed.
type contender struct {
	network   string
	extractor probe.Extractor
}

// untrained is the same network with fresh weights.
func untrained(a *app, c train.Config, seed uint64) contender {
	set := nn.NewSet()
	var m beit.Encoder
	if c.Stage == train.Teacher {
		m = beit.NewDINO(set.Scope(), c.Teacher.Model.ViT)
	} else {
		m = beit.NewMIM(set.Scope(), c.Pretrain.Model)
	}
	set.Build(a.dev, seed, nn.Inference)
	return contender{"untrained", probe.Backbone(m)}
}

// pixels are the pictures at 16 x 16.
func pixels(c beit.ViTConfig) contender { return contender{"none", probe.Pixels(c.ImageSize, 16)} }

// teacherOf is the teacher of a tokenizer.
func teacherOf(tok *train.TokenizerModel) (contender, error) {
	t, err := tok.Teacher()
	if err != nil {
		return contender{}, err
	}
	return contender{t.Name(), probe.Teacher(t, tok.Model.Config.Encoder.Grid())}, nil
}

// sample is one kind of features of one network on both parts of the data.
type sample struct {
	network    string
	train, val probe.Features
}

// extract computes all features, every picture being read once.
func extract(a *app, set *pictures, size int, contenders []contender) ([]sample, error) {
	var list []sample
	var extractors []probe.Extractor
	for _, c := range contenders {
		extractors = append(extractors, c.extractor)
		for range c.extractor.Names {
			list = append(list, sample{network: c.network})
		}
	}
	skipped := func(s data.Skipped) { fmt.Fprintf(a.errOut, "warning: picture left out: %v\n", s.Err) }
	fit, err := probe.Extract(a.ctx, a.dev, set.train, probe.Pipeline(size), skipped, extractors...)
	if err != nil {
		return nil, err
	}
	val, err := probe.Extract(a.ctx, a.dev, set.val, probe.Pipeline(size), skipped, extractors...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].train, list[i].val = fit[i], val[i]
	}
	return list, nil
}
