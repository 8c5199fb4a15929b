package experiment

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// measure does what is left of a trial's runs, and probes.
func (p *plan) measure(t trial) (Row, error) {
	row := Row{Table: t.table, Setting: t.setting, Figures: Figures{Seconds: new(float64)}}
	tokDir, backDir := p.folder("tokenizer", t.tokenizer, t.seed), p.folder("backbone", t.tokenizer, t.pretrain, t.seed)
	var probed string
	if t.network != ofScratch {
		result, err := p.train(t, tokenizer.Method, p.c.Preset, tokDir, &row, t.tokenizer...)
		if err != nil {
			return row, err
		}
		v := result.Final.Values
		row.Reconstruction, row.CodesUsed, row.Perplexity = value(v, "loss_reconstruction"), value(v, "codes_used"), value(v, "perplexity")
		probed = tokDir
	}
	if t.network == ofBackbone {
		if _, err := p.train(t, pretrain.Method, p.c.Preset, backDir, &row, append([]string{"pretrain.tokenizer=" + tokDir}, t.pretrain...)...); err != nil {
			return row, err
		}
		probed = backDir
	}
	if err := p.probes(t, probed, &row); err != nil {
		return row, err
	}
	if !t.finetune {
		return row, nil
	}
	from, err := p.start(probed)
	if err != nil {
		return row, err
	}
	dir := p.folder("finetuned-"+t.network, t.tokenizer, t.pretrain, t.seed)
	result, err := p.train(t, finetune.Method, p.c.Finetune, dir, &row, from...)
	if err != nil {
		return row, err
	}
	row.Finetuned = finetunedTop1(result.Final.Values)
	return row, nil
}

// start are the assignments by which fine-tuning starts from the model at path, or from scratch: then the network is the backbone's, and the
// learning rate the same everywhere.
func (p *plan) start(path string) ([]string, error) {
	if path != "" {
		return []string{"init_from=" + path}, nil
	}
	c, err := p.c.configure(pretrain.Method)
	if err != nil {
		return nil, err
	}
	v := pretrain.SectionOf(c).Model.ViT
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

// train runs a method, or continues it, and adds its seconds to the row.
func (p *plan) train(t trial, m *method.Method, preset, dir string, row *Row, own ...string) (*train.Result, error) {
	result, err := Train(p.ctx, p.env, dir, m, preset, p.settings(t, m, own...))
	if err != nil {
		return nil, err
	}
	records, err := run.ReadMetrics(dir)
	if err != nil {
		return nil, err
	}
	last := 0
	for _, r := range records {
		if speed := r.Values[method.KeySpeed]; r.Kind == run.KindEpoch && speed > 0 {
			*row.Seconds += float64((r.Step-last)*result.Config.Train.Batch) / speed
			last = r.Step
		}
	}
	return result, nil
}

// probes measures the features of a trial's network.
func (p *plan) probes(t trial, path string, row *Row) error {
	c, err := configure(pretrain.Method, p.c.Preset, p.settings(t, pretrain.Method))
	if err != nil {
		return err
	}
	network, size, release, err := p.contender(t, c, path)
	if err != nil {
		return err
	}
	defer release()
	images, err := p.images(c)
	if err != nil {
		return err
	}
	defer images.Close()
	samples, err := Extract(p.ctx, p.env, images, size, []Contender{network})
	if err != nil {
		return err
	}
	classifier := probe.LinearDefaults
	classifier.Seed = c.Seed
	linear := map[probe.Pool]**float64{probe.PoolCLS: &row.LinearCLS, probe.PoolMean: &row.LinearMean, probe.PoolGrid: &row.LinearGrid}
	knn := map[probe.Pool]**float64{probe.PoolCLS: &row.KNNCLS, probe.PoolMean: &row.KNNMean, probe.PoolGrid: &row.KNNGrid}
	for _, s := range samples {
		l, k, err := scores(p.ctx, p.env, s, classifier)
		if err != nil {
			return err
		}
		pool := probe.Pool(s.Train.Name)
		*linear[pool], *knn[pool] = &l.Top1, &k.Top1
	}
	return nil
}

// contender is the network of a trial, with the side of its images: an untrained backbone of configuration c, the model at path, or the teacher of
// the tokenizer there.
func (p *plan) contender(t trial, c *config.Config, path string) (one Contender, size int, release func(), err error) {
	dev := p.env.device()
	if t.network == ofScratch {
		set := nn.NewSet()
		network := beit.NewMIM(set.Scope(), pretrain.SectionOf(c).Model)
		set.Build(dev, c.Seed, nn.Inference)
		return Contender{t.network, probe.Network(network, data.ImageNet, probe.Pools...)}, pretrain.Method.ImageSize(c), set.Release, nil
	}
	m, err := model.Open(path)
	if err != nil {
		return one, 0, nil, err
	}
	defer m.Close()
	if t.network == ofTeacher {
		teacher, err := teacherOf(p.env, m)
		if err != nil {
			return one, 0, nil, err
		}
		return Teacher(teacher, probe.Pools...), tokenizer.Method.ImageSize(m.Config), teacher.Release, nil
	}
	e, err := model.OpenProbed(dev, m)
	if err != nil {
		return one, 0, nil, err
	}
	return Contender{t.network, probe.Network(e, e.Norm, probe.Pools...)}, e.ViT.ImageSize, e.Set.Release, nil
}

// value is a figure of a record, nil where it has none.
func value[K comparable](v map[K]float64, key K) *float64 {
	x, ok := v[key]
	if !ok {
		return nil
	}
	return &x
}

// folder is that of a run, named by what distinguishes it. Trials of equal assignments share their runs.
func (p *plan) folder(kind string, assignments ...[]string) string {
	return filepath.Join(p.c.Out, "runs", folderOf(kind, slices.Concat(assignments...)))
}

// folderOf names a run by what distinguishes it: "tokenizer", "tokenizer-codes-256", "tokenizer-codes-256-seed-2".
func folderOf(kind string, assignments []string) string {
	name := kind
	for _, a := range assignments {
		key, v, _ := strings.Cut(a, "=")
		name += "-" + key[strings.LastIndex(key, ".")+1:] + "-"
		if strings.ContainsFunc(v, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }) { // a path
			v = hashed(v)
		}
		name += v
	}
	return name
}

// hashed is a name for a text that is none.
func hashed(text string) string { return fmt.Sprintf("%016x", tensor.HashString(text)) }
