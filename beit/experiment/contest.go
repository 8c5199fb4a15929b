package experiment

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// contest is a comparison of ways to pretrain that has been checked.
type contest struct {
	ctx     context.Context
	env     Env
	c       *Comparison // images, presets, seeds, and assignments for all runs
	m       Methods
	ways    []way
	images  int      // to pretrain on
	masks   int      // images with masks to train on
	outside []string // models that were trained elsewhere, and who builds on them
}

// way is one way to pretrain, with the configurations that its runs begin with.
type way struct {
	model.Pretraining
	config    *config.Config
	tokenizer *config.Config // nil: it learns from none
	finetune  *config.Config
	segment   *config.Config // nil: there are no masks
	vit       beit.ViTConfig // the backbone's
}

// assignments are those of the pretraining's configuration that it has of itself.
func (w way) assignments() []string { return slices.Concat(w.Set, w.Settings) }

// pair is a way with a length.
type pair struct {
	way    way
	length float64
}

// pairs are the rows of the table: by length, and then as the ways were named.
func (p *contest) pairs() (list []pair) {
	for _, length := range p.m.Lengths {
		for _, w := range p.ways {
			list = append(list, pair{w, length})
		}
	}
	return list
}

// newContest checks every configuration, the images, and the models that runs learn from. Nothing is written.
func newContest(ctx context.Context, e Env, c *Comparison, m Methods) (*contest, error) {
	if c.Data == "" {
		return nil, wrong("name the images with --data DIR or --data FILE.tar")
	}
	p := &contest{ctx: ctx, env: e, c: c, m: m}
	c.Finetune = cmp.Or(c.Finetune, c.Preset)
	if len(c.Seeds) == 0 {
		c.Seeds = []int64{1}
	}
	if err := p.checkNumbers(); err != nil {
		return nil, err
	}
	if err := p.findWays(); err != nil {
		return nil, err
	}
	if err := p.checkSet(); err != nil {
		return nil, err
	}
	for i := range p.ways {
		if err := p.configure(&p.ways[i]); err != nil {
			return nil, wrong("%s: %w", p.ways[i].Name, err)
		}
	}
	if err := p.checkImages(); err != nil {
		return nil, err
	}
	if m.Masks != "" {
		if err := p.checkMasks(); err != nil {
			return nil, wrong("--masks: %w", err)
		}
	}
	if len(p.m.Lengths) == 0 {
		first := p.ways[0]
		p.m.Lengths = []float64{first.perImage() * float64(p.images) * float64(first.config.Train.Epochs)}
	}
	return p, p.checkLengths()
}

// checkLengths refuses lengths that do not pay for a step of each run, by the cost of the methods. What a run takes before its first step is not in that.
func (p *contest) checkLengths() error {
	for _, one := range p.pairs() {
		w, share := one.way, 1.0
		if w.tokenizer != nil {
			if err := p.checkStep(one, "its tokenizer", w.tokenizer, tokenizer.Method.Cost(w.tokenizer).FLOPs, tokenizerShare); err != nil {
				return err
			}
			share -= tokenizerShare
		}
		if err := p.checkStep(one, "the backbone", w.config, w.perImage(), share); err != nil {
			return err
		}
	}
	return nil
}

// checkStep refuses a length of which a run that takes so much for an image gets a share too small for a step.
func (p *contest) checkStep(one pair, of string, c *config.Config, perImage, share float64) error {
	batch := min(c.Train.Batch, p.images)
	if step := perImage * float64(batch); step > share*one.length {
		enough := 1.01 * step / share // also when rounded
		return wrong("--lengths %g: %s: a step of %s, on %d images, takes %.3g operations, more than its %s %% of that: give at least %.3g, or lower train.batch",
			one.length, one.way.Name, of, batch, step, percentText(share), enough)
	}
	return nil
}

// checkNumbers says what is wrong with seeds, lengths and fractions.
func (p *contest) checkNumbers() error {
	if err := p.c.checkSeeds(); err != nil {
		return err
	}
	for i, v := range p.m.Lengths {
		if !(v > 0) || math.IsInf(v, 0) || slices.Contains(p.m.Lengths[:i], v) {
			return wrong("--lengths %g: must be positive numbers of floating-point operations, such as 1e13, each once", p.m.Lengths)
		}
	}
	for i, v := range p.m.Fractions {
		if !(v > 0 && v <= 1) || slices.Contains(p.m.Fractions[:i], v) {
			return wrong("--fractions %g: must be parts of the labels, above 0 and at most 1, each once", p.m.Fractions)
		}
	}
	return nil
}

// findWays looks the names up.
func (p *contest) findWays() error {
	for i, name := range p.m.Names {
		found, err := model.FindPretraining(name)
		if err != nil {
			return wrong("--methods %w", err)
		}
		if slices.Contains(p.m.Names[:i], name) {
			return wrong("--methods %s: is there twice", name)
		}
		if found.Given {
			return wrong("--methods %s: learns from a published network, and a comparison trains what its methods learn from: beit1-pixels learns from none", name)
		}
		p.ways = append(p.ways, way{Pretraining: found})
	}
	if len(p.ways) == 0 {
		return wrong("--methods: name at least one")
	}
	return nil
}

// checkSet refuses assignments that no method has, or that the comparison chooses itself. Those of ways that are not compared stay, so that ways can
// be added.
func (p *contest) checkSet() error {
	if err := p.c.checkSet(model.Methods()); err != nil {
		return err
	}
	chosen := append(slices.Clone(initKeys), "data.label_fraction")
	for _, known := range model.Pretrainings() {
		if key := known.TokenizerKey(); key != "" {
			chosen = append(chosen, key)
		}
	}
	assigned := slices.DeleteFunc(slices.Clone(p.c.Set), lengthAfter)
	if err := notDecided(assigned, chosen...); err != nil {
		return wrong("set: %w", err)
	}
	for _, note := range p.c.oldNames() {
		p.env.reporter().Notice(note)
	}
	return nil
}

// lengthAfter says whether an assignment is the length of a run after pretraining, which the comparison leaves open.
func lengthAfter(s string) bool {
	a := parse(s)
	return (a.of == finetune.Method.Name || a.of == segment.Method.Name) && slices.Contains([]string{"train.epochs", "train.epoch_steps"}, a.key)
}

// configure makes the configurations of a way's runs, as far as that can be done before their models are there.
func (p *contest) configure(w *way) (err error) {
	if w.config, err = p.begin(w.Method, p.c.Preset, p.settings(w.Method, w.assignments()...)); err != nil {
		return err
	}
	var ok bool
	if w.vit, ok = w.Method.Card(w.config).ViT(); !ok {
		return fmt.Errorf("%s trains no backbone", w.Method.Name)
	}
	learner, cfg := w.Method, w.config
	if w.TokenizerKey() != "" {
		if w.tokenizer, err = p.begin(tokenizer.Method, p.c.Preset, p.settings(tokenizer.Method)); err != nil {
			return fmt.Errorf("tokenizer: %w", err)
		}
		if err := w.checkTokenizer(); err != nil {
			return err
		}
		learner, cfg = tokenizer.Method, w.tokenizer
	}
	opened, err := learner.OpenUpstream(cfg, p.env.open())
	if err != nil {
		return err
	}
	opened.Close()
	if learner.Upstream != nil {
		for _, u := range learner.Upstream(cfg, nil) {
			p.outside = append(p.outside, fmt.Sprintf("%s builds on %s, whose training is not in its cost.", w.Name, u.Path))
		}
	}
	w.finetune, err = p.become(w.vit)
	return err
}

// checkTokenizer refuses a tokenizer that the way cannot learn from, before it is trained.
func (w *way) checkTokenizer() error {
	if e := tokenizer.SectionOf(w.tokenizer).Model.Encoder; e.ImageSize != w.vit.ImageSize || e.Grid() != w.vit.Grid() {
		return fmt.Errorf("its tokenizer has images of %d in %d x %d patches, and the backbone images of %d in %d x %d",
			e.ImageSize, e.Grid(), e.Grid(), w.vit.ImageSize, w.vit.Grid(), w.vit.Grid())
	}
	return pretrain.CheckTokenizer(w.config, w.tokenizer)
}

// begin is the configuration of a run that starts from no model.
func (p *contest) begin(m *method.Method, preset string, set []string) (*config.Config, error) {
	cfg, start, err := m.Configure(preset, "", set, p.env.open())
	if start != nil {
		start.Close()
	}
	return cfg, err
}

// become is the configuration of fine-tuning a backbone that is not there yet.
func (p *contest) become(vit beit.ViTConfig) (*config.Config, error) {
	cfg, err := config.Configure(finetune.Method.Spec, p.c.Finetune, "", p.settings(finetune.Method), func(base *config.Config, _ config.Layers) error {
		finetune.Become(base, vit)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	return cfg, nil
}

// checkImages wants images with labels, for validation too.
func (p *contest) checkImages() error {
	w := p.ways[0]
	images, err := openLabelled(w.config, w.Method.ImageSize(w.config))
	if err != nil {
		return err
	}
	p.images = images.Train.Len()
	return images.Close()
}

// checkMasks wants images with masks, for validation too.
func (p *contest) checkMasks() (err error) {
	for i := range p.ways {
		w := &p.ways[i]
		if w.segment, err = p.begin(segment.Method, p.c.Preset, p.segmentSettings(w.vit)); err != nil {
			return err
		}
	}
	cfg := p.ways[0].segment
	images, err := method.OpenImages(cfg, segment.Method.ImageSize(cfg), nil)
	if err != nil {
		return err
	}
	p.masks = images.Train.Len()
	_, train := data.MaskClassesOf(images.Train)
	_, val := data.MaskClassesOf(images.Val)
	if err := images.Close(); err != nil {
		return err
	}
	if !train || !val {
		return fmt.Errorf("%s: wanted are images with masks, to train on and for validation: name those with --eval-masks, or set a part aside with --val-fraction 0.1", p.m.Masks)
	}
	return nil
}

// imageSeed lets all runs see the same images, whatever their seeds. It is the first one's, except that no key can have 0.
func (p *contest) imageSeed() int64 { return max(p.c.Seeds[0], 1) }

// settings are the assignments of a run on the images of the comparison, without what its seed and the models before it decide.
func (p *contest) settings(m *method.Method, own ...string) []string {
	return p.settingsOf(p.c, m, own...)
}

func (p *contest) settingsOf(c *Comparison, m *method.Method, own ...string) []string {
	return slices.Concat(quiet, []string{fmt.Sprintf("data.seed=%d", p.imageSeed())}, c.settings(m, own...))
}

// segmentSettings are the assignments of a linear head on a frozen backbone. Images are as large as the preset has them, and shown in crops and
// windows of the size that the backbone was pretrained with.
func (p *contest) segmentSettings(vit beit.ViTConfig) []string {
	c := *p.c
	c.Data, c.EvalData = p.m.Masks, p.m.EvalMasks
	var sides []string
	if slices.Contains(segment.Method.Presets, c.Preset) {
		a := segment.SectionOf(segment.Method.Preset(c.Preset)).Augment
		sides = []string{fmt.Sprintf("segment.augment.long=%d", a.Long), fmt.Sprintf("segment.augment.short=%d", a.Short)}
	}
	return append(sides, p.settingsOf(&c, segment.Method,
		"segment.freeze_backbone=true", "segment.model.head="+beit.HeadLinear, fmt.Sprintf("segment.model.vit.image_size=%d", vit.ImageSize))...)
}

// folder is that of a run.
func (p *contest) folder(name string, length float64, seed int64, run string) string {
	return filepath.Join(p.c.Out, "runs", name, lengthText(length), fmt.Sprintf("seed-%d", seed), run)
}

// notes are what a reader of the table must know.
func (p *contest) notes() (list []string) {
	for _, w := range p.ways {
		text := fmt.Sprintf("%s: %s.", w.Name, w.Title)
		if w.tokenizer != nil {
			text += fmt.Sprintf(" Its tokenizer takes %s %% of the cost.", percentText(tokenizerShare))
		}
		list = append(list, text)
	}
	list = append(list, "The cost is that of pretraining as it was counted: labels, teachers and decoders are part of it. Probes, fine-tuning and heads are not, and are alike for all.")
	return append(list, p.outside...)
}
