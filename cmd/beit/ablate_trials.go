package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// trial is a row to be measured.
type trial struct {
	Table, Setting string
	tokenizer      []string // assignments that differ from the preset
	pretrain       []string
	network        string // whose features are probed
	finetune       bool   // and which is fine-tuned
}

// Networks of a trial.
const (
	ofBackbone  = "backbone"
	ofTokenizer = "tokenizer"
	ofNothing   = "untrained"
)

func (t trial) key() string { return t.Table + ": " + t.Setting }

// ablated is a row. Figures that a row does not have are nil.
type ablated struct {
	Table          string   `json:"table"`
	Setting        string   `json:"setting"`
	Reconstruction *float64 `json:"reconstruction"` // of the validation pictures
	CodesUsed      *float64 `json:"codes_used"`
	Perplexity     *float64 `json:"perplexity"`
	LinearCLS      *float64 `json:"linear_cls"` // top-1 of probes
	LinearMean     *float64 `json:"linear_mean"`
	KNNCLS         *float64 `json:"knn_cls"`
	KNNMean        *float64 `json:"knn_mean"`
	Finetuned      *float64 `json:"finetuned"` // top-1 of the model after the last epoch
	Seconds        float64  `json:"seconds"`   // of training, runs that several rows share included
}

// ablation is what is to be measured.
type ablation struct {
	c      *ablateCmd
	a      *app
	trials []trial
}

// tables are the makers of trials, in their order.
var tables = []struct {
	name string
	of   func(c *ablateCmd, tok train.Config, pre train.Config) ([]trial, error)
}{
	{"decoder", func(c *ablateCmd, tok, _ train.Config) ([]trial, error) {
		return c.vary("decoder depth", "tokenizer.model.decoder.depth", tok.Tokenizer.Model.Decoder.Depth, c.Depths), nil
	}},
	{"dim", func(c *ablateCmd, tok, _ train.Config) ([]trial, error) {
		return c.vary("code dimension", "tokenizer.model.code_dim", tok.Tokenizer.Model.CodeDim, c.Dims), nil
	}},
	{"codes", func(c *ablateCmd, tok, _ train.Config) ([]trial, error) {
		return c.vary("codebook size", "tokenizer.model.codes", tok.Tokenizer.Model.Codes, c.Codes), nil
	}},
	{"aggregation", func(c *ablateCmd, _, pre train.Config) ([]trial, error) {
		return c.aggregation(pre.Pretrain.Model), nil
	}},
	{"teacher", func(c *ablateCmd, tok, _ train.Config) ([]trial, error) { return c.teachers(tok.Tokenizer.Teacher) }},
	{"network", func(c *ablateCmd, _, _ train.Config) ([]trial, error) {
		return []trial{
			{Table: "network", Setting: "VQ-KD encoder", network: ofTokenizer, finetune: true},
			{Table: "network", Setting: "backbone", network: ofBackbone, finetune: true},
			{Table: "network", Setting: "untrained", network: ofNothing, finetune: true},
		}, nil
	}},
}

// noAggregation is the backbone by which the paper compares tokenizers.
const noAggregation = "pretrain.model.head_layers=0"

// vary lists trials of one key of the tokenizer: those of values, or else half, once and twice the preset's.
func (c *ablateCmd) vary(table, key string, preset int, values []int) (list []trial) {
	if len(values) == 0 {
		values = []int{max(preset/2, 1), preset, 2 * preset}
	}
	for _, v := range values {
		t := trial{Table: table, Setting: fmt.Sprint(v), pretrain: []string{noAggregation}, network: ofBackbone}
		if v != preset {
			t.tokenizer = []string{fmt.Sprintf("%s=%d", key, v)}
		}
		list = append(list, t)
	}
	return list
}

// aggregation lists trials of the backbone's second head.
func (c *ablateCmd) aggregation(preset beit.MIMConfig) (list []trial) {
	for _, shared := range []bool{true, false} {
		for _, n := range c.Heads {
			t := trial{Table: "aggregation blocks", Setting: fmt.Sprintf("%d, own head", n), network: ofBackbone,
				pretrain: []string{fmt.Sprintf("pretrain.model.head_layers=%d", n), "pretrain.model.shared_head=false"}}
			switch {
			case n == 0 && !shared:
				continue
			case n == 0:
				t.Setting, t.pretrain = "0", []string{noAggregation}
			case shared:
				t.Setting, t.pretrain[1] = fmt.Sprintf("%d, shared head", n), "pretrain.model.shared_head=true"
			}
			if n > 0 && n == preset.HeadLayers && shared == preset.SharedHead { // the run that other tables have
				t.pretrain = nil
			}
			list = append(list, t)
		}
	}
	return list
}

func (c *ablateCmd) teachers(preset string) (list []trial, err error) {
	for _, name := range c.Teacher {
		t := trial{Table: "teacher", Setting: name, network: ofBackbone}
		kind, file, published := strings.Cut(name, "=")
		switch {
		case name == preset:
		case name == "hog" || name == "hog-ref":
			t.tokenizer = []string{"tokenizer.teacher=" + name}
		case published && (kind == "clip" || kind == "dino"):
			t.tokenizer = []string{"tokenizer.teacher=" + kind, "tokenizer.teacher_file=" + file}
		default:
			if _, err := os.Stat(name); err != nil {
				return nil, usagef("--teacher %s: neither hog, hog-ref, clip=FILE or dino=FILE nor a run folder that exists", name)
			}
			t.tokenizer = []string{"tokenizer.teacher=run", "tokenizer.teacher_run=" + name}
		}
		list = append(list, t)
	}
	return list, nil
}

// plan checks the flags and every configuration before anything is trained.
func (c *ablateCmd) plan(a *app) (*ablation, error) {
	if c.Data == "" {
		return nil, usagef("name the pictures with --data DIR or --data FILE.tar")
	}
	if c.Finetune == "" && slices.Contains(train.Presets(train.Finetune), c.Preset) {
		c.Finetune = c.Preset
	}
	if err := c.checkSet(); err != nil {
		return nil, err
	}
	tok, err := train.Configure(train.Tokenizer, c.Preset, "", c.settings(train.Tokenizer))
	if err != nil {
		return nil, usageError{err}
	}
	pre, err := train.Configure(train.Pretrain, c.Preset, "", c.settings(train.Pretrain))
	if err != nil {
		return nil, usageError{err}
	}
	var names []string
	ab := &ablation{c: c, a: a}
	for _, t := range tables {
		names = append(names, t.name)
		if len(c.Table) > 0 && !slices.Contains(c.Table, t.name) {
			continue
		}
		list, err := t.of(c, tok, pre)
		if err != nil {
			return nil, err
		}
		ab.trials = append(ab.trials, list...)
	}
	for _, name := range c.Table {
		if !slices.Contains(names, name) {
			return nil, usagef("--table %s: there are %s; did you mean %q?", name, strings.Join(names, ", "), beit.Nearest(name, names))
		}
	}
	for _, t := range ab.trials {
		if _, err := train.Configure(train.Tokenizer, c.Preset, "", c.settings(train.Tokenizer, t.tokenizer...)); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", t.key(), err)}
		}
		if _, err := train.Configure(train.Pretrain, c.Preset, "", c.settings(train.Pretrain, t.pretrain...)); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", t.key(), err)}
		}
		if t.finetune && c.Finetune == "" {
			return nil, usagef("--finetune NAME: fine-tuning has no preset %q; there are %s", c.Preset, strings.Join(train.Presets(train.Finetune), ", "))
		}
	}
	set, err := ab.open(pre) // what a probe cannot use is found before anything is trained for it
	if err != nil {
		return nil, err
	}
	return ab, set.close()
}

// open opens the pictures of the probes: labelled ones of both kinds, the classes numbered alike.
func (b *ablation) open(cfg train.Config) (set *pictures, err error) {
	fit, val, done, err := train.OpenPictures(cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	if val == nil {
		return nil, usagef("there are no validation pictures: name some with --eval-data, or set a part aside with --val-fraction 0.1")
	}
	if len(fit.Classes()) == 0 || len(val.Classes()) == 0 {
		return nil, usagef("%s: probes and fine-tuning need labels, of the validation pictures too: a folder for each class; %s", cfg.Data.Path, data.LoneFolder)
	}
	if val, err = data.Relabel(val, fit.Classes()); err != nil {
		return nil, fmt.Errorf("validation pictures: %w", err)
	}
	return &pictures{train: fit, val: val, close: done}, nil
}

// measure does what is left of a trial's runs, and probes.
func (b *ablation) measure(t trial) (ablated, error) {
	row := ablated{Table: t.Table, Setting: t.Setting}
	tokDir := filepath.Join(b.c.Out, "runs", folderOf("tokenizer", t.tokenizer))
	backDir := filepath.Join(b.c.Out, "runs", folderOf("backbone", append(slices.Clone(t.tokenizer), t.pretrain...)))
	var probed string
	if t.network != ofNothing {
		result, err := b.stage(train.Tokenizer, b.c.Preset, tokDir, &row, t.tokenizer...)
		if err != nil {
			return row, err
		}
		v := result.Final.Values
		row.Reconstruction, row.CodesUsed, row.Perplexity = value(v, "rec_loss"), value(v, "codes_used"), value(v, "perplexity")
		probed = tokDir
	}
	if t.network == ofBackbone {
		if _, err := b.stage(train.Pretrain, b.c.Preset, backDir, &row, append([]string{"pretrain.tokenizer=" + tokDir}, t.pretrain...)...); err != nil {
			return row, err
		}
		probed = backDir
	}
	if err := b.probes(t, probed, &row); err != nil {
		return row, err
	}
	if !t.finetune {
		return row, nil
	}
	from, err := b.start(probed)
	if err != nil {
		return row, err
	}
	result, err := b.stage(train.Finetune, b.c.Finetune, filepath.Join(b.c.Out, "runs", "finetuned-"+t.network), &row, from...)
	if err != nil {
		return row, err
	}
	v := result.Final.Values
	row.Finetuned = cmp.Or(value(v, "ema_top1"), value(v, "top1")) // with finetune.ema, the average is the model
	return row, nil
}

// start are the assignments by which fine-tuning starts from the model at path, or from nothing: then the network is the backbone's, and the
// learning rate the same everywhere.
func (b *ablation) start(path string) ([]string, error) {
	if path != "" {
		return []string{"init_from=" + path}, nil
	}
	cfg, err := train.Configure(train.Pretrain, b.c.Preset, "", b.c.settings(train.Pretrain))
	if err != nil {
		return nil, err
	}
	v := cfg.Pretrain.Model.ViT
	if v.RelPos == beit.RelPosShared { // a classifier has a table for each block
		v.RelPos = beit.RelPosBlock
	}
	list := []string{"finetune.layer_decay=1"}
	for key, n := range map[string]any{
		"image_size": v.ImageSize, "patch_size": v.PatchSize, "width": v.Width, "depth": v.Depth, "heads": v.Heads, "mlp_ratio": v.MLPRatio,
		"layer_scale": v.LayerScale, "abs_pos": v.AbsPos, "rel_pos": v.RelPos, "qkv_bias": v.QKVBias, "channels": v.Channels,
	} {
		list = append(list, fmt.Sprintf("finetune.model.%s=%v", key, n))
	}
	return list, nil
}

// stage runs a stage, or continues it, and adds its seconds to the row.
func (b *ablation) stage(stage train.Stage, preset, dir string, row *ablated, own ...string) (*train.Result, error) {
	rep := newReporter(b.a.errOut)
	defer rep.clear()
	env := train.Env{Device: b.a.dev, Reporter: rep}
	result, err := train.Finished(dir)
	_, none := os.Stat(filepath.Join(dir, "config.toml"))
	switch {
	case result != nil || err != nil:
	case none == nil:
		result, err = attempt(func() (*train.Result, error) { return train.Resume(b.a.ctx, dir, env, nil) })
	default:
		var cfg train.Config
		if cfg, err = train.Configure(stage, preset, "", b.c.settings(stage, own...)); err != nil {
			return nil, err
		}
		result, err = attempt(func() (*train.Result, error) { return train.Run(b.a.ctx, dir, cfg, env) })
	}
	switch {
	case errors.Is(err, train.ErrNotFinite):
		return nil, fmt.Errorf("%w, with another --out", advise(err, stage, dir))
	case err != nil:
		return nil, fmt.Errorf("%w; the same command goes on with what is done", advise(err, stage, dir))
	}
	records, err := train.ReadMetrics(dir)
	if err != nil {
		return nil, err
	}
	last := 0
	for _, r := range records {
		if speed := r.Values["img_per_s"]; r.Kind == train.KindEpoch && speed > 0 {
			row.Seconds += float64((r.Step-last)*result.Config.Train.Batch) / speed
			last = r.Step
		}
	}
	return result, nil
}

// probes measures the features of the model at path, or of an untrained backbone.
func (b *ablation) probes(t trial, path string, row *ablated) error {
	cfg, err := train.Configure(train.Pretrain, b.c.Preset, "", b.c.settings(train.Pretrain))
	if err != nil {
		return err
	}
	model := &train.EncoderModel{Norm: data.ImageNet, ViT: cfg.Pretrain.Model.ViT}
	if path == "" {
		model.Model, model.Set = untrained(b.a, cfg, cfg.Seed)
	} else if model, err = train.LoadNetwork(b.a.dev, path); err != nil {
		return err
	}
	defer model.Set.Release()
	set, err := b.open(cfg)
	if err != nil {
		return err
	}
	defer set.close()
	samples, err := extract(b.a, set, model.ViT.ImageSize, []contender{{t.network, probe.Network(model.Model, model.Norm)}})
	if err != nil {
		return err
	}
	classifier := probe.LinearDefaults
	classifier.Seed = cfg.Seed
	linear, knn := []**float64{&row.LinearCLS, &row.LinearMean}, []**float64{&row.KNNCLS, &row.KNNMean}
	for i, s := range samples {
		l, err := probe.Linear(b.a.ctx, b.a.dev, s.train, s.val, classifier)
		if err != nil {
			return err
		}
		k, err := probe.KNN(b.a.ctx, b.a.dev, s.train, s.val, 20, 0.07)
		if err != nil {
			return err
		}
		*linear[i], *knn[i] = &l.Top1, &k.Top1
	}
	return nil
}

// value is a figure of a record, nil where it has none.
func value(v map[string]float64, key string) *float64 {
	x, ok := v[key]
	if !ok {
		return nil
	}
	return &x
}

// folderOf names the folder of a run by what distinguishes it: "tokenizer", "tokenizer-codes-256".
func folderOf(kind string, assignments []string) string {
	name := kind
	for _, a := range assignments {
		key, v, _ := strings.Cut(a, "=")
		name += "-" + key[strings.LastIndex(key, ".")+1:] + "-"
		if strings.ContainsFunc(v, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }) { // a path
			v = fmt.Sprintf("%016x", tensor.HashString(v))
		}
		name += v
	}
	return name
}
