package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

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
	Model string `arg:"" placeholder:"FILE|RUN" help:"Backbone, teacher, tokenizer (its encoder is probed) or classifier: a run folder or model file."`
	dataFlags
	Tokenizer string `placeholder:"FILE|RUN" help:"Tokenizer whose teacher's features stand beside (that of the run)."`
	Alone     bool   `help:"Probe the backbone alone: not the untrained one, raw pixels and the teacher's features too."`
	Both      bool   `help:"Probe cls and mean side by side too."`
	Raw       bool   `help:"Take tokens before the final norm."`
	JSON      bool   `name:"json" help:"Print figures as JSON."`
}

// probeLinearCmd is "beit probe linear".
type probeLinearCmd struct {
	probeFlags
	Protocol string   `enum:"features,layers" default:"features" help:"features: one classifier on each kind of features of the last block, computed once; layers: one on the output of every block, on augmented pictures, as BEiT's script does."`
	Epochs   *int     `placeholder:"N" help:"Epochs (30, by layers 100)."`
	Seeds    *int     `placeholder:"N" help:"By features: classifiers trained; the mean is reported (3)."`
	Plain    bool     `help:"By features: do not standardise them."`
	Batch    *int     `placeholder:"N" help:"By layers: pictures in a batch (1024)."`
	LR       *float64 `name:"lr" placeholder:"F" help:"By layers: learning rate (1e-3 for each 256 pictures of a batch)."`
	SGD      bool     `name:"sgd" help:"By layers: SGD with momentum in place of AdamW."`
}

// Run trains linear probes.
func (c *probeLinearCmd) Run(a *app) error {
	if c.Epochs != nil && *c.Epochs < 1 || c.Seeds != nil && *c.Seeds < 1 || c.Batch != nil && *c.Batch < 1 || c.LR != nil && !(*c.LR > 0) {
		return usagef("--epochs, --seeds and --batch must be at least 1, and --lr positive")
	}
	if err := c.foreign(); err != nil {
		return err
	}
	if c.Protocol == "layers" {
		return c.layers(a)
	}
	cfg := probe.LinearDefaults
	cfg.Plain = c.Plain
	if c.Epochs != nil {
		cfg.Epochs = *c.Epochs
	}
	if c.Seeds != nil {
		cfg.Seeds = *c.Seeds
	}
	return c.probe(a, func(train, val probe.Features, seed uint64) ([]judged, error) {
		cfg.Seed = seed
		r, err := probe.Linear(a.ctx, a.dev, train, val, cfg)
		return []judged{{0, r.Score}}, err
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
		note("--plain", c.Plain)
		note("--tokenizer", c.Tokenizer != "")
		note("--alone", c.Alone)
		note("--both", c.Both)
		note("--raw", c.Raw)
	} else {
		note("--batch", c.Batch != nil)
		note("--lr", c.LR != nil)
		note("--sgd", c.SGD)
	}
	if len(given) == 0 {
		return nil
	}
	return usagef("only --protocol %s has %s: choose it, or leave them away", other, strings.Join(given, ", "))
}

// layersConfig is the protocol for so many training pictures. A batch holds no more than those, and the learning rate follows it unless given.
func (c *probeLinearCmd) layersConfig(pictures int) probe.LayersConfig {
	cfg := probe.LayersDefaults
	if c.Epochs != nil {
		cfg.Epochs = *c.Epochs
	}
	if c.Batch != nil {
		cfg.Batch = *c.Batch
	}
	cfg.Batch = min(cfg.Batch, pictures)
	if cfg.LR *= float64(cfg.Batch) / float64(probe.LayersDefaults.Batch); c.LR != nil {
		cfg.LR = *c.LR
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
	model, err := train.LoadNetwork(a.dev, c.Model)
	if err != nil {
		return err
	}
	blocks, ok := model.Model.(probe.LayerModel)
	if !ok {
		return fmt.Errorf("%s: its blocks cannot be looked into", model.Path)
	}
	set, err := c.openLabelled(model)
	if err != nil {
		return err
	}
	defer set.close()
	r := newReporter(a.errOut)
	cfg := c.layersConfig(set.train.Len())
	cfg.Seed = c.seed(model.Config)
	cfg.Skipped = func(s data.Skipped) { r.Warning(leftOut(s)) }
	cfg.Progress = func(epoch, batch, batches int) {
		r.Progress(train.Progress{Stage: "probe", Phase: "layers", Done: batch, Total: batches, Epoch: epoch, Epochs: cfg.Epochs})
	}
	scores, err := probe.Layers(a.ctx, a.dev, set.train, set.val, blocks, probe.Input{Size: model.ViT.ImageSize, Norm: model.Norm}, cfg)
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
	var t table
	t.add("block", "top-1", "top-5", "balanced")
	for i, s := range list {
		name := fmt.Sprint(s.Block)
		if i == best {
			name += " best"
		}
		t.add(name, percent(s.Top1), percent(s.Top5), percent(s.Balanced))
	}
	return t.print(a.out)
}

// probeKNNCmd is "beit probe knn".
type probeKNNCmd struct {
	probeFlags
	K           []int   `name:"k" default:"20" placeholder:"N,…" help:"Neighbours; several numbers give several lines."`
	Temperature float64 `default:"0.07" placeholder:"T" help:"A neighbour of cosine s has weight exp(s/T)."`
}

// Run votes with neighbours.
func (c *probeKNNCmd) Run(a *app) error {
	if len(c.K) == 0 || slices.Min(c.K) < 1 || !(c.Temperature > 0) {
		return usagef("--k %s, --temperature %g: both must be positive", strings.Trim(fmt.Sprint(c.K), "[]"), c.Temperature)
	}
	return c.probe(a, func(train, val probe.Features, _ uint64) (list []judged, err error) {
		scores, err := probe.KNNs(a.ctx, a.dev, train, val, c.K, c.Temperature)
		for i, s := range scores {
			list = append(list, judged{c.K[i], s})
		}
		return list, err
	})
}

// probed is one line of a probe's result.
type probed struct {
	Network string `json:"network"`
	Feature string `json:"feature"`
	Dim     int    `json:"dim"`
	judged
}

// judged is a score, by K neighbours where it was neighbours that voted.
type judged struct {
	K int `json:"k,omitempty"`
	probe.Score
}

// openLabelled opens the pictures for a model, the classes of both parts numbered alike.
func (f probeFlags) openLabelled(model *train.EncoderModel) (*pictures, error) {
	set, err := f.openBoth(model.ViT.ImageSize, model.Config)
	if err != nil {
		return nil, err
	}
	if set.val, err = data.Relabel(set.val, set.train.Classes()); err != nil {
		set.close()
		return nil, fmt.Errorf("validation pictures: %w", err)
	}
	return set, nil
}

func (f probeFlags) probe(a *app, score func(train, val probe.Features, seed uint64) ([]judged, error)) error {
	model, err := train.LoadNetwork(a.dev, f.Model)
	if err != nil {
		return err
	}
	seed := f.seed(model.Config)
	set, err := f.openLabelled(model)
	if err != nil {
		return err
	}
	defer set.close()
	contenders := []contender{{"pretrained", f.extractor(model.Model, model.Norm)}}
	if !f.Alone {
		fresh, weights := untrained(a, model.Config, seed)
		defer weights.Release()
		contenders = append(contenders, contender{"untrained", f.extractor(fresh, model.Norm)}, pixels(model.ViT))
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
	if f.Both {
		all = withBoth(all)
	}
	var list []probed
	for _, s := range all {
		result, err := score(s.train, s.val, seed)
		if err != nil {
			return err
		}
		for _, r := range result {
			list = append(list, probed{s.network, s.train.Name, s.train.Dim, r})
		}
	}
	if f.JSON {
		return printJSON(a.out, list)
	}
	return printProbes(a.out, list)
}

// extractor takes features of a network.
func (f probeFlags) extractor(m beit.Encoder, norm data.Norm) probe.Extractor {
	if blocks, ok := m.(probe.LayerModel); ok && f.Raw {
		return probe.BeforeNorm(blocks, m.Width(), norm)
	}
	return probe.Network(m, norm)
}

// withBoth puts behind each pair of cls and mean both side by side.
func withBoth(all []sample) (list []sample) {
	for i, s := range all {
		if list = append(list, s); strings.HasPrefix(s.train.Name, "mean") {
			list = append(list, sample{s.network, probe.Join(all[i-1].train, s.train), probe.Join(all[i-1].val, s.val)})
		}
	}
	return list
}

func printProbes(w io.Writer, list []probed) error {
	var t table
	t.add("network", "feature", "dim", "top-1", "top-5", "balanced")
	for _, p := range list {
		if p.K > 0 && several(list) {
			p.Feature += fmt.Sprintf(" (%d)", p.K)
		}
		t.add(p.Network, p.Feature, fmt.Sprint(p.Dim), percent(p.Top1), percent(p.Top5), percent(p.Balanced))
	}
	return t.print(w)
}

// several says whether the lines differ in their numbers of neighbours.
func several(list []probed) bool {
	return slices.ContainsFunc(list, func(p probed) bool { return p.K != list[0].K })
}

// teacher is that of the tokenizer named by the flag, or else by the backbone's run; nil for a model that learned from no tokenizer.
func (f probeFlags) teacher(a *app, model *train.EncoderModel) (*contender, error) {
	path := f.Tokenizer
	if path == "" && model.Config.Stage == train.Tokenizer {
		path = f.Model
	}
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

// untrained is the same network with fresh weights, which the set holds.
func untrained(a *app, c train.Config, seed uint64) (m beit.Encoder, set *nn.Set) {
	set = nn.NewSet()
	switch c.Stage {
	case train.Teacher:
		m = beit.NewDINO(set.Scope(), c.Teacher.Model.ViT)
	case train.Tokenizer:
		m = beit.NewViT(set.Scope(), c.Tokenizer.Model.Encoder)
	case train.Finetune:
		m = beit.NewViT(set.Scope(), c.Finetune.Model)
	default:
		m = beit.NewMIM(set.Scope(), c.Pretrain.Model)
	}
	set.Build(a.dev, seed, nn.Inference)
	return m, set
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

// leftOut says that a picture is.
func leftOut(s data.Skipped) string { return plain(fmt.Sprintf("picture left out: %v", s.Err)) }

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
	skipped := func(s data.Skipped) { fmt.Fprintln(a.errOut, "warning: "+leftOut(s)) }
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
