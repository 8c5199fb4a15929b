package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
)

// lineup is a comparison of entries that has been checked.
type lineup struct {
	ctx     context.Context
	env     Env
	c       *Comparison // images, preset, and assignments for all entries
	file    *Entries
	cost    budget
	val     []string            // names of the validation images
	outside map[string][]string // models of an entry that were trained elsewhere
	sizes   map[config.Data]int // training images by what chooses them
}

// newLineup checks every configuration, the images, and the models that runs start or learn from. Nothing is written.
func newLineup(ctx context.Context, e Env, c *Comparison, file *Entries) (*lineup, error) {
	if c.Data == "" {
		return nil, wrong("name the images with --data DIR or --data FILE.tar")
	}
	c.Preset, c.Set = file.preset(), append(slices.Clone(c.Set), file.Set...)
	if err := c.checkSet(compared); err != nil {
		return nil, err
	}
	if err := notDecided(c.Set, initKeys...); err != nil {
		return nil, wrong("set: %w", err)
	}
	for _, note := range c.oldNames() {
		e.reporter().Notice(note)
	}
	l := &lineup{ctx: ctx, env: e, c: c, file: file, cost: file.budget(), outside: map[string][]string{}, sizes: map[config.Data]int{}}
	if err := l.checkImages(); err != nil {
		return nil, err
	}
	for _, entry := range file.List {
		for _, alternative := range entry.alternatives() {
			if err := l.checkEntry(entry, alternative); err != nil {
				return nil, wrong("entry %q: %w", entry.Name, err)
			}
		}
	}
	return l, nil
}

// decided are the keys that the comparison itself chooses.
var decided = []string{
	"seed", "data.seed", "data.path", "data.eval_path", "data.val_fraction", "data.val_from_train", "train.epochs", "train.epoch_steps",
	"train.time_budget", "train.flop_budget", "pretrain.tokenizer",
}

// initKeys say what a run starts from. The first run of an entry may have them.
var initKeys = []string{"init_from", "init_key"}

// notDecided refuses assignments of keys that the comparison chooses, and of others that only some may assign.
func notDecided(list []string, others ...string) error {
	for _, s := range list {
		key := config.CurrentKey(parse(s).key)
		if slices.Contains(decided, key) || slices.Contains(others, key) {
			return fmt.Errorf("%s: the comparison chooses %s itself", s, key)
		}
	}
	return nil
}

// checkImages wants images for validation, with labels, which sweeps leave unread.
func (l *lineup) checkImages() error {
	m := l.prober()
	cfg, err := l.c.configure(m, l.imageSeed())
	if err != nil {
		return err
	}
	images, err := openLabelled(cfg, m.ImageSize(cfg))
	if err != nil {
		return err
	}
	defer images.Close()
	for i := range images.Val.Len() {
		l.val = append(l.val, images.Val.Name(i))
	}
	swept := slices.ContainsFunc(l.file.List, func(e Entry) bool { return len(e.Sweep) > 1 })
	if images.Split && swept {
		return wrong("a sweep needs validation images of their own, which it leaves unread: name some with --eval-data in place of --val-fraction")
	}
	return nil
}

// prober is the method by whose configuration probes are shown images: that of the last runs.
func (l *lineup) prober() *method.Method {
	last := tokenizer.Method
	for _, m := range compared {
		if slices.ContainsFunc(l.file.List, func(e Entry) bool { return e.own(m) != nil }) {
			last = m
		}
	}
	return last
}

// imageSeed lets all runs see the same images, whatever their seeds. It is the first one's, except that no key can have 0.
func (l *lineup) imageSeed() string { return fmt.Sprintf("data.seed=%d", max(l.file.Seeds[0], 1)) }

// checkEntry makes the configurations of an entry with one alternative of its sweep, as far as that can be done before its models are there.
func (l *lineup) checkEntry(e Entry, alternative string) error {
	if err := l.checkAlternative(e, alternative); err != nil {
		return err
	}
	taught, err := l.borrowed(e) // configuration of the tokenizer
	if err != nil {
		return err
	}
	var tok, before *beit.ViTConfig
	if taught != nil {
		tok = &tokenizer.SectionOf(taught).Model.Encoder
	}
	for i, m := range e.methods() {
		var others []string
		if i > 0 || e.Init != "" {
			others = append(others, initKeys...)
		}
		if err := notDecided(*e.own(m), append(others, "data.eval.limit")...); err != nil {
			return err
		}
		cfg, err := l.foresee(e, m, alternative, tok, before)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		if err := l.checkOutside(e, m, cfg); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		if err := l.checkShare(e, m, cfg); err != nil {
			return err
		}
		if taught != nil {
			if err := pretrain.CheckTokenizer(cfg, taught); err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		switch s := cfg.Section.(type) {
		case *tokenizer.Section:
			taught, tok, before = cfg, &s.Model.Encoder, &s.Model.Encoder
		case *pretrain.Section:
			before = &s.Model.ViT
		}
	}
	return nil
}

// checkAlternative wants an assignment for a run of the entry.
func (l *lineup) checkAlternative(e Entry, alternative string) error {
	if alternative == "" {
		return nil
	}
	if err := notDecided([]string{alternative}, append(initKeys, "data.eval.limit")...); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if !slices.ContainsFunc(e.methods(), func(m *method.Method) bool { return concerns(alternative, m) }) {
		return fmt.Errorf("sweep: %s: no run of the entry has this key", alternative)
	}
	return nil
}

// concerns says whether an assignment is one for a method.
func concerns(s string, m *method.Method) bool {
	a := parse(s)
	return strings.Contains(s, "=") && (a.of == "" || a.of == m.Name) && hasKey(m, a.key)
}

// borrowed is the configuration of the finished tokenizer that an entry names, if it does.
func (l *lineup) borrowed(e Entry) (*config.Config, error) {
	if e.TokenizerRun == "" {
		return nil, nil
	}
	m, err := l.env.open()(e.TokenizerRun, "")
	if err != nil {
		return nil, fmt.Errorf("tokenizer_run: %w", err)
	}
	defer m.Close()
	if m.Kind != weights.Tokenizer {
		return nil, fmt.Errorf("tokenizer_run: %s holds a %s", e.TokenizerRun, m.Kind)
	}
	return m.Config, nil
}

// foresee is the configuration that a run will have. tok is the encoder of the tokenizer, before the network that the entry trained last; both
// nil where there is none.
func (l *lineup) foresee(e Entry, m *method.Method, alternative string, tok, before *beit.ViTConfig) (*config.Config, error) {
	start, become := before, finetune.Become // the network that the run starts from, which is not there yet
	if m == pretrain.Method {
		start, become = nil, pretrain.Become
		if e.Init != "" {
			start = tok
		}
	}
	set := l.assignments(e, m, alternative)
	if start == nil {
		cfg, from, err := m.Configure(l.c.Preset, "", set, l.env.open())
		if from != nil {
			from.Close()
		}
		if err != nil {
			return nil, err
		}
		return cfg, fits(m, cfg, tok)
	}
	cfg, err := config.Configure(m.Spec, l.c.Preset, "", set, func(base *config.Config, _ config.Layers) error { become(base, *start); return nil })
	if err == nil {
		err = sameBlocks(m, cfg, *start)
	}
	if err != nil {
		return nil, err
	}
	return cfg, fits(m, cfg, tok)
}

// fits says whether a backbone can learn from a tokenizer.
func fits(m *method.Method, cfg *config.Config, tok *beit.ViTConfig) error {
	if m != pretrain.Method {
		return nil
	}
	if v := pretrain.SectionOf(cfg).Model.ViT; v.ImageSize != tok.ImageSize || v.Grid() != tok.Grid() {
		return fmt.Errorf("the tokenizer has images of %d in %d x %d patches, the backbone images of %d in %d x %d",
			tok.ImageSize, tok.Grid(), tok.Grid(), v.ImageSize, v.Grid(), v.Grid())
	}
	return nil
}

// sameBlocks refuses assignments that make a network another than the one that it starts from.
func sameBlocks(m *method.Method, cfg *config.Config, from beit.ViTConfig) error {
	type setting struct {
		key       string
		have, had any
	}
	var v beit.ViTConfig
	var list []setting
	table := "finetune.model."
	if m == pretrain.Method { // which leaves nothing of a tokenizer's encoder out
		v, table = pretrain.SectionOf(cfg).Model.ViT, "pretrain.model.vit."
		list = []setting{{"abs_pos", v.AbsPos || !from.AbsPos, true}, {"qkv_bias", v.QKVBias || !from.QKVBias, true}}
	} else {
		v = finetune.SectionOf(cfg).Model
	}
	list = append(list, setting{"width", v.Width, from.Width}, setting{"depth", v.Depth, from.Depth}, setting{"heads", v.Heads, from.Heads},
		setting{"mlp_ratio", v.MLPRatio, from.MLPRatio}, setting{"patch_size", v.PatchSize, from.PatchSize}, setting{"channels", v.Channels, from.Channels})
	for _, s := range list {
		if s.have != s.had {
			return fmt.Errorf("%s%s = %v: the network that the run starts from has %v", table, s.key, s.have, s.had)
		}
	}
	return nil
}

// checkOutside opens the models that a run starts or learns from and that the entry does not train, and notes them.
func (l *lineup) checkOutside(e Entry, m *method.Method, cfg *config.Config) error {
	var paths []string
	if cfg.InitFrom != "" {
		start, err := l.env.open()(cfg.InitFrom, cfg.InitKey)
		if err != nil {
			return fmt.Errorf("init_from: %w", err)
		}
		start.Close()
		paths = append(paths, cfg.InitFrom)
	}
	if m.Upstream != nil && (m != pretrain.Method || e.TokenizerRun != "") {
		opened, err := m.OpenUpstream(cfg, l.env.open())
		if err != nil {
			return err
		}
		opened.Close()
		for _, u := range m.Upstream(cfg, nil) {
			paths = append(paths, u.Path)
		}
	}
	for _, path := range paths {
		if !slices.Contains(l.outside[e.Name], path) {
			l.outside[e.Name] = append(l.outside[e.Name], path)
		}
	}
	return nil
}
