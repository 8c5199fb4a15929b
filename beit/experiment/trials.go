package experiment

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// trial is a row to be measured.
type trial struct {
	table, setting string
	tokenizer      []string // assignments that differ from the preset
	pretrain       []string
	network        string // whose features are probed
	finetune       bool   // and which is fine-tuned
}

// Networks of a trial.
const (
	ofBackbone  = "backbone"
	ofTokenizer = "tokenizer"
	ofScratch   = "untrained"
)

func (t trial) key() string { return t.table + ": " + t.setting }

// tables are the makers of trials, in their order.
var tables = []struct {
	name string
	of   func(c *Comparison, tok *tokenizer.Section, pre *pretrain.Section) ([]trial, error)
}{
	{"decoder", func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return vary("decoder depth", "tokenizer.model.decoder.depth", tok.Model.Decoder.Depth, c.Depths), nil
	}},
	{"dim", func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return vary("code dimension", "tokenizer.model.code_dim", tok.Model.CodeDim, c.Dims), nil
	}},
	{"codes", func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return vary("codebook size", "tokenizer.model.codes", tok.Model.Codes, c.Codes), nil
	}},
	{"aggregation", func(c *Comparison, _ *tokenizer.Section, pre *pretrain.Section) ([]trial, error) {
		return aggregation(pre.Model.Aggregation, c.Heads), nil
	}},
	{"teacher", func(c *Comparison, tok *tokenizer.Section, _ *pretrain.Section) ([]trial, error) {
		return teachers(tok.Teacher, c.Teachers)
	}},
	{"network", func(*Comparison, *tokenizer.Section, *pretrain.Section) ([]trial, error) {
		return []trial{
			{table: "network", setting: "VQ-KD encoder", network: ofTokenizer, finetune: true},
			{table: "network", setting: "backbone", network: ofBackbone, finetune: true},
			{table: "network", setting: "untrained", network: ofScratch, finetune: true},
		}, nil
	}},
}

// TableNames lists the tables that Compare can make.
func TableNames() (names []string) {
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names
}

// noAggregation is the backbone by which the paper compares tokenizers.
const noAggregation = "pretrain.model.aggregation.depth=0"

// vary lists trials of one key of the tokenizer: those of values, or else half, once and twice the preset's.
func vary(table, key string, preset int, values []int) (list []trial) {
	if len(values) == 0 {
		values = []int{max(preset/2, 1), preset, 2 * preset}
	}
	for _, v := range values {
		t := trial{table: table, setting: fmt.Sprint(v), pretrain: []string{noAggregation}, network: ofBackbone}
		if v != preset {
			t.tokenizer = []string{fmt.Sprintf("%s=%d", key, v)}
		}
		list = append(list, t)
	}
	return list
}

// aggregation lists trials of the backbone's second head.
func aggregation(preset beit.AggregationConfig, depths []int) (list []trial) {
	for _, shared := range []bool{true, false} {
		for _, n := range depths {
			t := trial{table: "aggregation blocks", setting: fmt.Sprintf("%d, own head", n), network: ofBackbone,
				pretrain: []string{fmt.Sprintf("pretrain.model.aggregation.depth=%d", n), "pretrain.model.aggregation.shared_head=false"}}
			switch {
			case n == 0 && !shared:
				continue
			case n == 0:
				t.setting, t.pretrain = "0", []string{noAggregation}
			case shared:
				t.setting, t.pretrain[1] = fmt.Sprintf("%d, shared head", n), "pretrain.model.aggregation.shared_head=true"
			}
			if n > 0 && n == preset.Depth && shared == preset.SharedHead { // the run that other tables have
				t.pretrain = nil
			}
			list = append(list, t)
		}
	}
	return list
}

func teachers(preset string, names []string) (list []trial, err error) {
	for _, name := range names {
		t := trial{table: "teacher", setting: name, network: ofBackbone}
		kind, file, published := strings.Cut(name, "=")
		switch {
		case name == preset:
		case name == "hog" || name == "hog-ref":
			t.tokenizer = []string{"tokenizer.teacher=" + name}
		case published && (kind == "clip" || kind == "dino"):
			t.tokenizer = []string{"tokenizer.teacher=" + kind, "tokenizer.teacher_file=" + file}
		default:
			if _, err := os.Stat(name); err != nil {
				return nil, wrong("--teacher %s: neither hog, hog-ref, clip=FILE or dino=FILE nor a run folder that exists", name)
			}
			t.tokenizer = []string{"tokenizer.teacher=run", "tokenizer.teacher_run=" + name}
		}
		list = append(list, t)
	}
	return list, nil
}

// plan is what is to be measured.
type plan struct {
	ctx    context.Context
	env    Env
	c      *Comparison
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
	if err := c.checkSet(); err != nil {
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
	for _, note := range c.oldNames() {
		e.reporter().Notice(note)
	}
	p := &plan{ctx: ctx, env: e, c: c}
	for _, t := range tables {
		if len(c.Tables) > 0 && !slices.Contains(c.Tables, t.name) {
			continue
		}
		list, err := t.of(c, tokenizer.SectionOf(tok), pretrain.SectionOf(pre))
		if err != nil {
			return nil, err
		}
		p.trials = append(p.trials, list...)
	}
	for _, name := range c.Tables {
		if names := TableNames(); !slices.Contains(names, name) {
			return nil, wrong("--table %s: there are %s; did you mean %q?", name, strings.Join(names, ", "), config.Nearest(name, names))
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
		if _, err := p.c.configure(tokenizer.Method, t.tokenizer...); err != nil {
			return SettingError{fmt.Errorf("%s: %w", t.key(), err)}
		}
		if _, err := p.c.configure(pretrain.Method, t.pretrain...); err != nil {
			return SettingError{fmt.Errorf("%s: %w", t.key(), err)}
		}
		if t.finetune && p.c.Finetune == "" {
			return wrong("--finetune NAME: fine-tuning has no preset %q; there are %s", p.c.Preset, strings.Join(finetune.Method.Presets, ", "))
		}
	}
	return nil
}

// images opens the images of the probes.
func (p *plan) images(c *config.Config) (*method.Images, error) {
	return openLabelled(c, pretrain.Method.ImageSize(c))
}
