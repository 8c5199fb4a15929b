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
)

// plan is what is to be measured.
type plan struct {
	ctx    context.Context
	env    Env
	c      *Comparison
	seed   int64 // that of Set, or the preset's
	trials []trial
}

// newPlan checks the settings and every configuration before anything is trained.
func newPlan(ctx context.Context, e Env, c *Comparison) (*plan, error) {
	if c.Data == "" {
		return nil, wrong("name the images with --data DIR or --data FILE.tar")
	}
	if c.Finetune == "" && slices.Contains(finetune.Method.Presets, c.Preset) {
		c.Finetune = c.Preset
	}
	if err := c.checkSet(compared); err != nil {
		return nil, err
	}
	if err := c.checkSeeds(); err != nil {
		return nil, err
	}
	tok, err := c.configure(tokenizer.Method)
	if err != nil {
		return nil, err
	}
	pre, err := c.configure(pretrain.Method)
	if err != nil {
		return nil, err
	}
	if err := pretrain.CheckTokenizer(pre, tok); err != nil {
		return nil, wrong("set: %w", err)
	}
	for _, note := range c.oldNames() {
		e.reporter().Notice(note)
	}
	p := &plan{ctx: ctx, env: e, c: c, seed: int64(pre.Seed)}
	for _, t := range tables {
		if len(c.Tables) > 0 && !slices.Contains(c.Tables, t.name) {
			continue
		}
		list, err := t.of(c, tokenizer.SectionOf(tok), pretrain.SectionOf(pre))
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			one.finetune = one.finetune || t.finetune && c.FineTune && one.network != ofTeacher
			p.trials = append(p.trials, one)
		}
	}
	for _, name := range c.Tables {
		if names := TableNames(); !slices.Contains(names, name) {
			return nil, wrong("--table %s: %s", name, config.Hint(name, names, "%q", "there are "+strings.Join(names, ", ")))
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	images, err := p.images(pre) // what a probe cannot use is found before anything is trained for it
	if err != nil {
		return nil, err
	}
	return p, images.Close()
}

// check makes the configuration of every trial.
func (p *plan) check() error {
	for _, t := range p.trials {
		tok, err := p.c.configure(tokenizer.Method, t.tokenizer...)
		if err != nil {
			return SettingError{fmt.Errorf("%s: %w", t.key(), err)}
		}
		pre, err := p.c.configure(pretrain.Method, t.pretrain...)
		if err != nil {
			return SettingError{fmt.Errorf("%s: %w", t.key(), err)}
		}
		if !t.finetune {
			continue
		}
		if p.c.Finetune == "" {
			return wrong("--finetune NAME: fine-tuning has no preset %q; there are %s", p.c.Preset, strings.Join(finetune.Method.Presets, ", "))
		}
		network := pretrain.SectionOf(pre).Model.ViT
		if t.network == ofTokenizer {
			network = tokenizer.SectionOf(tok).Model.Encoder
		}
		if err := p.checkFinetune(network); err != nil {
			return SettingError{fmt.Errorf("%s: %w", t.key(), err)}
		}
	}
	return nil
}

// checkFinetune makes the configuration of fine-tuning a network that is not there yet.
func (p *plan) checkFinetune(network beit.ViTConfig) error {
	_, err := config.Configure(finetune.Method.Spec, p.c.Finetune, "", p.c.settings(finetune.Method), func(base *config.Config, _ config.Layers) error {
		finetune.Become(base, network)
		return nil
	})
	return err
}

// images opens the images of the probes.
func (p *plan) images(c *config.Config) (*method.Images, error) {
	return openLabelled(c, pretrain.Method.ImageSize(c))
}

// settings are the assignments of a run of a trial. Further seeds see the images of the comparison's own, unless Set says otherwise.
func (p *plan) settings(t trial, m *method.Method, own ...string) []string {
	list := p.c.settings(m, own...)
	if t.seed == nil {
		return list
	}
	return slices.Concat([]string{fmt.Sprintf("data.seed=%d", p.seed)}, list, t.seed)
}
