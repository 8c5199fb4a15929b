package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Bounds of issue 24: of a gradient beside the norm of its tensor, and of figures of records.
const (
	gradientBound = 2e-6
	figureBound   = 1e-5
)

// members runs f as each member of a group of n, with a device of its own as each process has one, and returns the errors by rank.
func members(n int, f func(g dist.Group, dev *tensor.Device) error) []error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for _, g := range dist.Local(n) {
		wait.Go(func() {
			defer g.Close()
			errs[g.Rank()] = f(g, tensor.NewDevice(tensor.CPU().Backend()))
		})
	}
	wait.Wait()
	return errs
}

// none fails the test for each error.
func none(t *testing.T, errs []error) {
	t.Helper()
	for rank, err := range errs {
		if err != nil {
			t.Errorf("rank %d of %d: %v", rank, len(errs), err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// together runs a configuration as a group of n. It returns the folder of rank 0; other ranks must not make theirs.
func together(t *testing.T, n int, m *method.Method, cfg *config.Config) string {
	t.Helper()
	folder := t.TempDir()
	dir := func(rank int) string { return filepath.Join(folder, fmt.Sprint(rank)) }
	none(t, members(n, func(g dist.Group, dev *tensor.Device) error {
		_, err := Run(context.Background(), dir(g.Rank()), m, cfg, opening(Env{Group: g, Device: dev}))
		return err
	}))
	if list, err := os.ReadDir(folder); err != nil || len(list) != 1 {
		t.Errorf("%d processes wrote %v, error %v", n, list, err)
	}
	return dir(0)
}

// groupCases are tiny runs of all methods, with four micro-batches in a step.
func groupCases(t *testing.T) map[string]*config.Config {
	accum := []string{"train.accumulation_steps=4", "train.epochs=2"}
	make := func(m *method.Method, set ...string) *config.Config { return tiny(t, m, append(accum, set...)...) }
	return map[string]*config.Config{
		"tokenizer":           make(tokenizer.Method),
		"tokenizer/gradient":  make(tokenizer.Method, "tokenizer.model.codebook_gradient=true"),
		"tokenizer/euclidean": make(tokenizer.Method, "tokenizer.model.euclidean=true"),
		"pretrain":            make(pretrain.Method, "pretrain.tokenizer="+tokenizerRun(t)),
		"pretrain/dalle": make(pretrain.Method, "pretrain.target=dalle", "pretrain.tokenizer="+traintest.DALLE(t), "pretrain.model.aggregation.depth=0",
			"pretrain.visible=0", "data.augment=none"),
		"pretrain/pixels":   make(pretrain.Method, pixelCodes...),
		"finetune":          make(finetune.Method, "finetune.mixup=0.8", "finetune.ema=0.9", "train.clip=1"),
		"finetune/accuracy": make(finetune.Method),
		"dino":              make(dino.Method),
		"cae":               make(cae.Method, "cae.tokenizer="+tokenizerRun(t)),
		"mae":               make(mae.Method),
		"splitmask":         make(splitmask.Method, "splitmask.tokenizer="+tokenizerRun(t)),
	}
}

func methodOf(cfg *config.Config) *method.Method {
	all := []*method.Method{tokenizer.Method, pretrain.Method, finetune.Method, dino.Method, cae.Method, mae.Method, splitmask.Method}
	return all[slices.IndexFunc(all, func(m *method.Method) bool { return m.Name == cfg.Method })]
}

// gradients are those of the first step, before the optimiser sees them, by parameter, and the codes of its tokens, if any.
func gradients(cfg *config.Config, g dist.Group, dev *tensor.Device) (map[string][]float32, [][]int32, error) {
	ctx := context.Background()
	l, err := newLoop(ctx, "", methodOf(cfg), cfg.Clone(), opening(Env{Group: g, Device: dev}), state.WriteFileAtomic)
	if err != nil {
		return nil, nil, err
	}
	defer l.close()
	if p, ok := l.task.(method.Preparer); ok {
		if err := p.Prepare(ctx); err != nil {
			return nil, nil, err
		}
	}
	l.task.Set().ZeroGrad()
	accum := cfg.Train.AccumulationSteps
	for b, err := range l.env.Loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, nil, err
		}
		if b.Number >= accum {
			break
		}
		l.forwardBackward(b, b.Number%accum)
	}
	scalars := &l.underway.scalars
	if err := cmp.Or(l.reduce(), scalars.Gather(l.env.Group)); err != nil {
		return nil, nil, err
	}
	all := map[string][]float32{}
	for _, p := range l.task.Set().Flat() {
		all[p.Name] = p.Grad.Float32s()
	}
	return all, scalars.Ints("codes"), nil
}

// Before the update, all members have the gradients of one process.
func TestGroupGradients(t *testing.T) {
	for name, cfg := range groupCases(t) {
		t.Run(name, func(t *testing.T) {
			want, codes, err := gradients(cfg, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{2, 4} {
				none(t, members(n, func(g dist.Group, dev *tensor.Device) error {
					got, theirs, err := gradients(cfg, g, dev)
					if err != nil {
						return err
					}
					if d := diff.Diff(codes, theirs); d != "" {
						return fmt.Errorf("codes: %s", d)
					}
					return sameGradients(want, got)
				}))
			}
		})
	}
}

func sameGradients(want, got map[string][]float32) error {
	for name, w := range want {
		norm, off := 0.0, 0.0
		for i, v := range w {
			norm += float64(v) * float64(v)
			d := float64(v) - float64(got[name][i])
			off += d * d
		}
		if !(math.Sqrt(off) <= gradientBound*math.Sqrt(norm)) && math.Sqrt(off) > 1e-9 { // that of a key's bias is 0 but for rounding
			return fmt.Errorf("gradient of %s: off by %g of its norm %g", name, math.Sqrt(off/norm), math.Sqrt(norm))
		}
	}
	return nil
}

// A run of several processes has the figures of one process. Weights are not compared: AdamW turns a gradient that is 0 but for rounding into the
// learning rate.
func TestGroupRuns(t *testing.T) {
	for name, cfg := range groupCases(t) {
		t.Run(name, func(t *testing.T) {
			m := methodOf(cfg)
			want := traintest.Metrics(t, trained(t, m, cfg, Env{}).Dir)
			for _, n := range []int{2, 4} {
				sameFigures(t, want, traintest.Metrics(t, together(t, n, m, cfg)))
			}
		})
	}
}

// Batch norms take the statistics of all processes: two that share two micro-batches have the figures of one whose micro-batch is as large as both.
func TestGroupBatchNorm(t *testing.T) {
	in := func(parts int) *config.Config {
		return tiny(t, segment.Method, "log.every=1", "train.epochs=2", fmt.Sprint("train.accumulation_steps=", parts), "segment.model.vit.drop_path=0", "segment.model.dropout=0", "segment.loss_mean=all")
	}
	want := traintest.Metrics(t, trained(t, segment.Method, in(1), Env{}).Dir)
	sameFigures(t, want, traintest.Metrics(t, together(t, 2, segment.Method, in(2))))
}

// countedFigures are figures that may differ by one token whose two nearest codes are equally near but for rounding, and what follows from it; or by
// pixels whose two likeliest classes are equally likely.
var countedFigures = []string{"codes_used", "codes_unused", "perplexity", "entropy", "top_share", "miou", "best_miou", "macc", "pixel_accuracy"}

func sameFigures(t *testing.T, want, got []run.Record) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d records, one process has %d", len(got), len(want))
	}
	for i, w := range want {
		w, g := w.Stable(), got[i].Stable()
		if g.Kind != w.Kind || g.Step != w.Step || len(g.Values) != len(w.Values) {
			t.Fatalf("record %d: %+v, one process has %+v", i, g, w)
		}
		for key, x := range w.Values {
			y, bound := g.Values[key], figureBound
			switch {
			case slices.Contains(countedFigures, key) || strings.HasPrefix(key, "iou_"):
				bound = 0.01
			}
			if !(math.Abs(x-y) <= bound*max(1, math.Abs(x))) {
				t.Errorf("%s after step %d: %s is %v, of one process %v", w.Kind, w.Step, key, y, x)
			}
		}
	}
}

// Gradients in many small parts, most of which are sent while backward goes on, are those in one.
func TestGroupParts(t *testing.T) {
	cfg := tiny(t, pretrain.Method, "train.accumulation_steps=4", "pretrain.tokenizer="+tokenizerRun(t))
	none(t, members(2, func(g dist.Group, dev *tensor.Device) error {
		l, err := newLoop(context.Background(), "", pretrain.Method, cfg.Clone(), opening(Env{Group: g, Device: dev}), state.WriteFileAtomic)
		if err != nil {
			return err
		}
		defer l.close()
		step := func(size int) ([]float32, int, error) {
			l.sums = newSums(l.task.Set(), l.env.Group.(*queue), size)
			l.task.Set().ZeroGrad()
			early := 0
			for b, err := range l.env.Loader.Batches(context.Background(), 0, 0) {
				if err != nil {
					return nil, 0, err
				}
				if b.Number >= 2 {
					l.sums.follow(l.env.Tape)
				}
				l.forwardBackward(b, b.Number%4)
				if early = l.sums.next; b.Number >= 2 {
					break
				}
			}
			err := l.sums.finish(l.env.Tape)
			l.underway.release()
			l.underway = nil
			return l.task.Set().Grads().Float32s(), early, err
		}
		want, _, err := step(1 << 30)
		if err != nil {
			return err
		}
		got, early, err := step(1000)
		if err != nil {
			return err
		}
		if all := len(l.sums.parts); early < all/2 {
			return fmt.Errorf("%d of %d parts were sent before the end of backward", early, all)
		}
		if !slices.Equal(want, got) {
			return errors.New("the gradients depend on the size of parts")
		}
		return nil
	}))
}

// Micro-batches that do not divide among the processes are refused by all.
func TestGroupMicroBatches(t *testing.T) {
	cfg := tiny(t, finetune.Method, "train.accumulation_steps=4")
	for rank, err := range members(3, func(g dist.Group, dev *tensor.Device) error {
		_, err := Run(context.Background(), newDir(t), finetune.Method, cfg, Env{Group: g, Device: dev})
		return err
	}) {
		if err == nil || !strings.Contains(err.Error(), "multiple of 3") {
			t.Errorf("rank %d: error %v", rank, err)
		}
	}
}

// Processes with different settings are told which.
func TestGroupAgrees(t *testing.T) {
	dir := newDir(t)
	for rank, err := range members(2, func(g dist.Group, dev *tensor.Device) error {
		cfg := tiny(t, finetune.Method, "train.accumulation_steps=2", fmt.Sprintf("train.lr=0.00%d", 1+g.Rank()))
		_, err := Run(context.Background(), dir, finetune.Method, cfg, Env{Group: g, Device: dev})
		return err
	}) {
		if err == nil || !strings.Contains(err.Error(), "rank 1") || !strings.Contains(err.Error(), "lr = 0.002") {
			t.Errorf("rank %d: error %v", rank, err)
		}
	}
}

// Weights that drift apart end the run.
func TestGroupWeights(t *testing.T) {
	cfg := tiny(t, finetune.Method, "train.accumulation_steps=2")
	for rank, err := range members(2, func(g dist.Group, dev *tensor.Device) error {
		l, err := newLoop(context.Background(), "", finetune.Method, cfg.Clone(), Env{Group: g, Device: dev}, state.WriteFileAtomic)
		if err != nil {
			return err
		}
		defer l.close()
		if err := l.checkWeights(); err != nil {
			return err
		}
		if g.Rank() == 1 {
			l.task.Set().Values().Slice(0, 7, 8).Fill(3)
		}
		if err := l.checkWeights(); err == nil || !strings.Contains(err.Error(), "rank 1") {
			return fmt.Errorf("other weights: error %v", err)
		}
		if err := l.shareWeights(); err != nil {
			return err
		}
		return l.checkWeights()
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

// One interrupted process ends all after the same step, and the run goes on with another number of processes. The tokenizer's state is the largest.
func TestGroupResumes(t *testing.T) {
	for _, m := range []*method.Method{tokenizer.Method, finetune.Method} {
		t.Run(m.Name, func(t *testing.T) {
			cfg := tiny(t, m, "train.accumulation_steps=4", "train.epochs=3")
			if m == tokenizer.Method {
				if err := cfg.Set("tokenizer.reseed=true"); err != nil {
					t.Fatal(err)
				}
			}
			want := traintest.Metrics(t, trained(t, m, cfg, Env{}).Dir)
			dir := newDir(t)
			for rank, err := range interruptedGroup(2, 4, func(ctx context.Context, env Env) error {
				_, err := Run(ctx, dir, m, cfg, opening(env))
				return err
			}) {
				if !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), "after step 4 ") {
					t.Errorf("rank %d: error %v", rank, err)
				}
			}
			none(t, members(4, func(g dist.Group, dev *tensor.Device) error {
				_, err := resumed(dir, Env{Group: g, Device: dev})
				return err
			}))
			sameFigures(t, want, traintest.Metrics(t, dir))
		})
	}
}

// interruptedGroup runs f as a group of n whose last member is interrupted after so many steps.
func interruptedGroup(n, after int, f func(ctx context.Context, env Env) error) []error {
	return members(n, func(g dist.Group, dev *tensor.Device) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		env := Env{Group: g, Device: dev}
		if g.Rank() == n-1 {
			env.Reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
				if p.Phase == "train" && p.Done == after {
					cancel()
				}
			}}
		}
		return f(ctx, env)
	})
}

// The end of one member ends the others with an error that names it.
func TestGroupMemberLeaves(t *testing.T) {
	cfg := tiny(t, finetune.Method, "train.accumulation_steps=2")
	errs := members(2, func(g dist.Group, dev *tensor.Device) error {
		if g.Rank() == 1 {
			return nil
		}
		_, err := Run(context.Background(), newDir(t), finetune.Method, cfg, Env{Group: g, Device: dev})
		return err
	})
	if !errors.Is(errs[0], dist.ErrClosed) || !strings.Contains(errs[0].Error(), "rank 1") {
		t.Errorf("trained alone in a group of two: error %v", errs[0])
	}
}
