package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// chain is one way through the runs of an entry.
type chain struct {
	entry       Entry
	alternative string // of its sweep; empty: none
	seed        int64
	folder      func(m *method.Method) string // of the run of a method
	own         []string                      // assignments of all its runs
}

// final is a chain that is measured on the validation images.
func (l *lineup) final(e Entry, alternative string, seed int64) chain {
	return chain{e, alternative, seed, func(m *method.Method) string { return e.finalRun(l.c.Out, seed, m) }, nil}
}

// finalRun is the folder of the run of a method in a chain that is measured on the validation images; out is that of the comparison.
func (e Entry) finalRun(out string, seed int64, m *method.Method) string {
	return filepath.Join(out, "runs", e.folder(), fmt.Sprintf("seed-%d", seed), m.Name)
}

// sweptFraction is the part of the training images by which an alternative of a sweep is chosen.
const sweptFraction = 0.2

// trial is a chain with alternative k of the sweep, for which no validation image is read. Runs that alternatives have in common are those of the
// first of them.
func (l *lineup) trial(e Entry, k int) chain {
	folder := func(m *method.Method) string {
		first := 0
		for !e.alike(first, k, m) {
			first++
		}
		return filepath.Join(l.c.Out, "runs", e.folder(), fmt.Sprintf("sweep-%d", first+1), m.Name)
	}
	return chain{e, e.Sweep[k], l.file.Seeds[0], folder, []string{"data.val_from_train=true", fmt.Sprintf("data.val_fraction=%g", sweptFraction)}}
}

// alike says whether two alternatives of the sweep have the same run of a method, and of those before it.
func (e Entry) alike(i, j int, last *method.Method) bool {
	for _, m := range e.methods() {
		if i != j && (concerns(e.Sweep[i], m) || concerns(e.Sweep[j], m)) {
			return false
		}
		if m == last {
			break
		}
	}
	return true
}

// quiet leaves out what takes time and decides nothing: the validations of all epochs but the last, and k-NN accuracies. Entries may assign the keys
// otherwise.
var quiet = []string{"log.eval_every=1000000", "log.knn_every=0"}

// assignments are those of a run of an entry with an alternative, without what its seed and the models before it decide.
func (l *lineup) assignments(e Entry, m *method.Method, alternative string) []string {
	own := *e.own(m)
	if alternative != "" && concerns(alternative, m) {
		own = append(own[:len(own):len(own)], parse(alternative).text)
	}
	if m == pretrain.Method && e.TokenizerRun != "" {
		own = append(own[:len(own):len(own)], "pretrain.tokenizer="+e.TokenizerRun)
	}
	return slices.Concat(quiet, []string{l.imageSeed()}, l.c.settings(m, own...))
}

// outcome is what the runs of a chain left.
type outcome struct {
	cost        float64
	before, key string        // path of the network before fine-tuning, and its key in a file of several; empty: there is none
	last        *train.Result // of the last run
}

// train does what is left of the runs of a chain. The last run may take what the others left of the whole.
func (l *lineup) train(c chain) (out outcome, err error) {
	tok := c.entry.TokenizerRun
	list := c.entry.methods()
	for i, m := range list {
		part := l.cost.amount - out.cost
		if i < len(list)-1 {
			part = c.entry.Shares[m.Name] * l.cost.amount
		}
		set := append(l.assignments(c.entry, m, c.alternative), fmt.Sprintf("seed=%d", c.seed))
		set = append(append(set, c.own...), c.entry.follow(m, tok, out.before)...)
		if out.last, err = l.afforded(c.folder(m), m, set, part); err != nil {
			return out, err
		}
		used, err := l.cost.of(out.last)
		if err == nil && used > part {
			err = fmt.Errorf("%s took %g %s, and may take %g", out.last.Dir, used, l.cost.unit, part)
		}
		if err != nil {
			return out, err
		}
		out.cost += used
		switch m {
		case tokenizer.Method:
			tok, out.before = out.last.Dir, out.last.Dir
		case pretrain.Method:
			out.before = out.last.Dir
		default:
			out.before, out.key = out.last.Config.InitFrom, out.last.Config.InitKey // which may be a model from elsewhere
		}
	}
	return out, nil
}

// follow are the assignments by which a run of an entry builds on the tokenizer, and on the network before it.
func (e Entry) follow(m *method.Method, tok, before string) []string {
	switch {
	case m == pretrain.Method && e.Init != "":
		return []string{"pretrain.tokenizer=" + tok, "init_from=" + tok}
	case m == pretrain.Method:
		return []string{"pretrain.tokenizer=" + tok}
	case m == finetune.Method && before != "":
		return []string{"init_from=" + before}
	}
	return nil
}

// afforded trains a run, or continues it, so long as a part of the cost allows.
func (l *lineup) afforded(dir string, m *method.Method, set []string, part float64) (*train.Result, error) {
	if l.cost.unit == unitFLOPs {
		result, err := affordedFLOPs(l.ctx, l.env, dir, m, l.c.Preset, set, part)
		if errors.Is(err, train.ErrNoStep) {
			err = fmt.Errorf("%w: give all entries more flops, or this run a larger share, in another folder", err)
		}
		return result, err
	}
	cfg, start, err := m.Configure(l.c.Preset, "", set, l.env.open())
	if err != nil {
		return nil, err
	}
	if start != nil {
		start.Close()
	}
	n, err := l.trainImages(m, cfg)
	if err != nil {
		return nil, err
	}
	steps := l.cost.steps(part, cfg, n)
	if steps < 1 {
		return nil, fmt.Errorf("%s: %g %s pay for no step", dir, part, l.cost.unit)
	}
	epochs, perEpoch := train.Split(steps, stepsPerEpoch(cfg, n))
	return Train(l.ctx, l.env, dir, m, l.c.Preset, append(set, fmt.Sprintf("train.epochs=%d", epochs), fmt.Sprintf("train.epoch_steps=%d", perEpoch)))
}

// affordedFLOPs trains a run, or continues it, so long as a number of counted operations allows.
func affordedFLOPs(ctx context.Context, e Env, dir string, m *method.Method, preset string, set []string, flops float64) (*train.Result, error) {
	return Train(ctx, e, dir, m, preset, append(set, "train.flop_budget="+number(flops)))
}

// stepsPerEpoch is how many steps n images give at most.
func stepsPerEpoch(cfg *config.Config, n int) int { return max(n/cfg.Train.Batch, 1) }

// steps is how many steps of a run on n images a part of the cost pays for.
func (b budget) steps(part float64, cfg *config.Config, n int) float64 {
	if b.unit == unitImages {
		part /= float64(min(cfg.Train.Batch, n))
	}
	return math.Floor(part)
}

// of is what a finished run took.
func (b budget) of(r *train.Result) (float64, error) {
	switch b.unit {
	case unitSteps:
		return float64(r.Steps), nil
	case unitImages:
		return float64(r.Steps * r.Config.Train.Batch), nil
	}
	return countedFLOPs(r.Dir)
}

// countedFLOPs are the operations that the run in a folder counted.
func countedFLOPs(dir string) (float64, error) {
	records, err := run.ReadMetrics(dir)
	if err != nil {
		return 0, err
	}
	work := 0.0
	for _, rec := range records {
		if rec.Kind == run.KindEpoch {
			work = rec.Values[method.KeyFLOPs]
		}
	}
	if work == 0 {
		return 0, fmt.Errorf("%s: no operations were counted", dir)
	}
	return work, nil
}

// checkShare wants a step at least for a run, as far as that can be told before operations are counted.
func (l *lineup) checkShare(e Entry, m *method.Method, cfg *config.Config) error {
	if l.cost.unit == unitFLOPs {
		return nil
	}
	n, err := l.trainImages(m, cfg)
	if err != nil {
		return err
	}
	part, ok := e.Shares[m.Name]
	if !ok {
		part = 1
		for _, share := range e.Shares {
			part -= share
		}
	}
	if part *= l.cost.amount; l.cost.steps(part, cfg, n) < 1 {
		return fmt.Errorf("%s: %g %s pay for no step of %d images", m.Name, part, l.cost.unit, cfg.Train.Batch)
	}
	return nil
}

// trainImages is how many images a run trains on.
func (l *lineup) trainImages(m *method.Method, cfg *config.Config) (int, error) {
	key := cfg.Data
	key.CacheMB = 0
	if n, ok := l.sizes[key]; ok {
		return n, nil
	}
	images, err := method.OpenImages(cfg, m.ImageSize(cfg), nil)
	if err != nil {
		return 0, err
	}
	l.sizes[key] = images.Train.Len()
	return l.sizes[key], images.Close()
}

// diverged says whether a run ended because its numbers were no longer finite.
func diverged(err error) bool { return errors.Is(err, train.ErrNotFinite) }
