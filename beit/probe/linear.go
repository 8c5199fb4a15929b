package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// LinearConfig is the configuration of a linear probe.
type LinearConfig struct {
	Epochs int
	Batch  int
	LR     float64 // of AdamW, constant
	Decay  float64
	Seed   uint64
	Seeds  int  // number of classifiers, each with its own initial weights and order of batches
	Plain  bool // use features as they are; else each is standardised by its mean and standard deviation over the training set
}

// LinearDefaults is the protocol of the probes of the preset "reference32", with three seeds.
var LinearDefaults = LinearConfig{Epochs: 30, Batch: 256, LR: 2e-3, Decay: 1e-3, Seeds: 3}

// LinearResult is the mean score of several classifiers, and the score of each.
type LinearResult struct {
	Score
	Seeds []Score `json:"seeds"`
}

// Streams of the random number generator.
const (
	streamOrder = 0x9a0b + iota
	streamStart
	streamLayers
)

// Linear trains a linear classifier on train and evaluates it on val.
func Linear(ctx context.Context, dev *tensor.Device, train, val Features, cfg LinearConfig) (LinearResult, error) {
	if err := checkPair(train, val); err != nil {
		return LinearResult{}, err
	}
	if cfg.Epochs < 1 || cfg.Batch < 1 || cfg.Seeds < 1 {
		panic(fmt.Sprintf("probe: Linear: epochs, batch and seeds must be positive: %+v", cfg))
	}
	shift, scale := standardise(train)
	if cfg.Plain {
		clear(shift)
		for d := range scale {
			scale[d] = 1
		}
	}
	tx, vx := upload(dev, train, shift, scale), upload(dev, val, shift, scale)
	defer tx.Release()
	defer vx.Release()
	var r LinearResult
	for k := range cfg.Seeds {
		best, err := linearOnce(ctx, tx, vx, train, cfg, uint64(k))
		if err != nil {
			return LinearResult{}, err
		}
		r.Seeds = append(r.Seeds, newScore(best, val.Labels, val.Classes))
	}
	r.Score = meanScore(r.Seeds)
	return r, nil
}

// linearOnce trains classifier k and returns its best classes for each row of vx.
func linearOnce(ctx context.Context, tx, vx *tensor.Tensor, train Features, cfg LinearConfig, k uint64) ([][]int32, error) {
	dev, m := tx.Device(), train.Len()
	set := nn.NewSet()
	layer := nn.NewLinear(set.Scope(), train.Dim, train.Classes, nn.LibraryDefault)
	set.Build(dev, tensor.NewRand(cfg.Seed, streamStart, k).Uint64(), nn.Training)
	defer set.Release()
	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: cfg.Decay})
	defer opt.Release()
	c := nn.Context{Tape: autograd.NewTape(dev), Train: true}
	index, labels := make([]int32, m), make([]int32, m)
	for epoch := range cfg.Epochs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, j := range tensor.NewRand(cfg.Seed, streamOrder, k, uint64(epoch)).Perm(m) {
			index[i], labels[i] = int32(j), train.Labels[j]
		}
		for lo := 0; lo < m; lo += cfg.Batch {
			hi := min(lo+cfg.Batch, m)
			rows := c.Tape.Own(tensor.FromInts(dev, index[lo:hi], hi-lo))
			want := c.Tape.Own(tensor.FromInts(dev, labels[lo:hi], hi-lo))
			x := c.Tape.Own(tensor.GatherRows(tx, rows.Value()))
			set.ZeroGrad()
			logits := layer.Forward(c, x, autograd.LinearOptions{})
			c.Tape.Backward(autograd.CrossEntropy(logits, want.Value(), 0))
			opt.Step(cfg.LR)
			c.Tape.Reset()
		}
	}
	logits := c.Tape.Scope(func() *autograd.Var { return layer.Forward(c, c.Tape.Constant(vx), autograd.LinearOptions{}) })
	scores := logits.Value().Float32s()
	c.Tape.Reset()
	best := make([][]int32, len(scores)/train.Classes)
	for i := range best {
		row := scores[i*train.Classes : (i+1)*train.Classes]
		if hasNaN(row) {
			return nil, fmt.Errorf("classifier %d: a score is not a number: lower the learning rate", k+1)
		}
		best[i] = bestClasses(row)
	}
	return best, nil
}

// hasNaN reports whether a score is NaN.
func hasNaN(scores []float32) bool {
	return slices.ContainsFunc(scores, func(v float32) bool { return math.IsNaN(float64(v)) })
}

// standardise returns the mean and the inverse standard deviation of each feature. The latter is 0 for features that are constant in
// training, which so become 0.
func standardise(f Features) (shift, scale []float32) {
	shift, scale = make([]float32, f.Dim), make([]float32, f.Dim)
	n := float64(f.Len())
	mean, square := make([]float64, f.Dim), make([]float64, f.Dim)
	for i := range f.Len() {
		for d, v := range f.row(i) {
			mean[d] += float64(v) / n
		}
	}
	for i := range f.Len() {
		for d, v := range f.row(i) {
			square[d] += (float64(v) - mean[d]) * (float64(v) - mean[d]) / n
		}
	}
	for d := range shift {
		shift[d] = float32(mean[d])
		if std := math.Sqrt(square[d]); std > 1e-6*(1+math.Abs(mean[d])) {
			scale[d] = float32(1 / std)
		}
	}
	return shift, scale
}

// upload uploads features [M, D] as (x − shift)·scale.
func upload(dev *tensor.Device, f Features, shift, scale []float32) *tensor.Tensor {
	x := make([]float32, len(f.X))
	for i := range f.Len() {
		row := x[i*f.Dim : (i+1)*f.Dim]
		for d, v := range f.row(i) {
			row[d] = (v - shift[d]) * scale[d]
		}
	}
	return tensor.FromSlice(dev, x, f.Len(), f.Dim)
}
