package experiment

import (
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// measure does what is left of the runs of a way with a length and a seed, and measures the backbone that they leave.
func (p *contest) measure(one pair, seed int64) (Figured, error) {
	w, left := one.way, one.length
	own := w.assignments()
	if w.tokenizer != nil {
		dir := p.folder(tokenizer.Method.Name, one.length, seed, tokenizer.Method.Name)
		used, err := p.pretrain(dir, tokenizer.Method, seed, tokenizerShare*left)
		if err != nil {
			return nil, err
		}
		left -= used
		own = append(own, w.TokenizerKey()+"="+dir)
	}
	backbone := p.folder(w.Name, one.length, seed, w.Method.Name)
	used, err := p.pretrain(backbone, w.Method, seed, left, own...)
	if err != nil {
		return nil, err
	}
	f := Figured{keyCost: one.length - left + used}
	linear, knn, err := probeModel(p.ctx, p.env, backbone, "", w.config, uint64(seed), comparedPools...)
	if err != nil {
		return nil, err
	}
	for _, pool := range comparedPools {
		f[keyLinear+string(pool)], f[keyKNN+string(pool)] = linear[pool], knn[pool]
	}
	for _, fraction := range p.m.Fractions {
		dir := p.folder(w.Name, one.length, seed, fmt.Sprintf("finetune-%g", fraction))
		set := append(p.settings(finetune.Method), fmt.Sprintf("data.label_fraction=%g", fraction))
		if f[finetunedKey(fraction)], err = p.after(dir, finetune.Method, p.c.Finetune, seed, backbone, set, finetunedTop1); err != nil {
			return nil, err
		}
	}
	if p.m.Masks != "" {
		dir := p.folder(w.Name, one.length, seed, segment.Method.Name)
		miou := func(v map[string]float64) *float64 { return value(v, segment.Method.Main) }
		if f[keyMIoU], err = p.after(dir, segment.Method, p.c.Preset, seed, backbone, p.segmentSettings(w.vit), miou); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// pretrain trains a run, or continues it, so long as a number of operations allows, and returns those that it took.
func (p *contest) pretrain(dir string, m *method.Method, seed int64, flops float64, own ...string) (float64, error) {
	set := append(p.settings(m, own...), fmt.Sprintf("seed=%d", seed))
	result, err := affordedFLOPs(p.ctx, p.env, dir, m, p.c.Preset, set, flops)
	if errors.Is(err, train.ErrNoStep) {
		err = fmt.Errorf("%w: give --lengths more", err)
	}
	if err != nil {
		return 0, err
	}
	used, err := countedFLOPs(result.Dir)
	if err == nil && used > flops {
		err = fmt.Errorf("%s took %g operations, and may take %g", dir, used, flops)
	}
	return used, err
}

// after trains a run that starts from a backbone, or continues it, and returns one of its last figures.
func (p *contest) after(dir string, m *method.Method, preset string, seed int64, backbone string, set []string, figure func(v map[string]float64) *float64) (float64, error) {
	result, err := Train(p.ctx, p.env, dir, m, preset, append(set, fmt.Sprintf("seed=%d", seed), "init_from="+backbone))
	if err != nil {
		return 0, err
	}
	v := figure(result.Final.Values)
	if v == nil || math.IsNaN(*v) {
		return 0, fmt.Errorf("%s: its last validation gave no %s: %w", dir, m.Main, train.ErrDiverged)
	}
	return *v, nil
}
