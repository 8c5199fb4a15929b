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
	LRs    []float64 // of AdamW, constant; of several, the best on a fifth of the training images that is set aside for the choice
	Decay  float64
	Seed   uint64
	Seeds  int // number of classifiers, each with its own initial weights and order of batches
	Norm   FeatureNorm
}

// FeatureNorm says how features are normalised before the classifier.
type FeatureNorm string

// The ways to normalise features. None of them has weights.
const (
	// NormStandardize takes mean and standard deviation of each feature over the training set.
	NormStandardize FeatureNorm = "standardize"
	// NormBatch is batch normalisation without affine weights, as in MAE's linear probe (arXiv 2111.06377, appendix A.1): while training, mean and
	// variance are those of the batch, later their running means.
	NormBatch FeatureNorm = "batchnorm"
	// NormNone takes features as they are.
	NormNone FeatureNorm = "none"
)

// LinearDefaults is the protocol of the probes of the preset "reference32", with three seeds.
var LinearDefaults = LinearConfig{Epochs: 30, Batch: 256, LRs: []float64{2e-3}, Decay: 1e-3, Seeds: 3, Norm: NormStandardize}

// LinearResult is the mean score of several classifiers, and the score of each.
type LinearResult struct {
	Score
	LR    float64 `json:"lr"` // of the classifiers
	Seeds []Score `json:"seeds"`
}

// Spread is the standard deviation of the top-1 accuracy of classifiers with other seeds, estimated from those that there are; 0 for one.
func (r LinearResult) Spread() float64 {
	var top1 []float64
	for _, s := range r.Seeds {
		top1 = append(top1, s.Top1)
	}
	return Spread(top1)
}

// Spread is the standard deviation of what some values were drawn from, estimated from them; 0 for fewer than two.
func Spread(values []float64) float64 {
	n := float64(len(values))
	if n < 2 {
		return 0
	}
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / (n - 1))
}

// Streams of the random number generator.
const (
	streamOrder = 0x9a0b + iota
	streamStart
	streamLayers
	streamHeldOut
)

// Linear trains a linear classifier on train and evaluates it on val. What is measured on val decides nothing.
func Linear(ctx context.Context, dev *tensor.Device, train, val Features, cfg LinearConfig) (LinearResult, error) {
	if err := checkPair(train, val); err != nil {
		return LinearResult{}, err
	}
	if cfg.Epochs < 1 || cfg.Batch < 1 || cfg.Seeds < 1 || len(cfg.LRs) == 0 {
		panic(fmt.Sprintf("probe: Linear: epochs, batch and seeds must be positive, and there must be a learning rate: %+v", cfg))
	}
	r := LinearResult{LR: cfg.LRs[0]}
	if len(cfg.LRs) > 1 {
		var err error
		if r.LR, err = bestLR(ctx, dev, train, cfg); err != nil {
			return LinearResult{}, err
		}
	}
	p := newLinearProbe(dev, train, val, cfg)
	defer p.release()
	for k := range cfg.Seeds {
		s, err := p.score(ctx, r.LR, uint64(k))
		if err != nil {
			return LinearResult{}, err
		}
		r.Seeds = append(r.Seeds, s)
	}
	r.Score = meanScore(r.Seeds)
	return r, nil
}

// bestLR is the learning rate by which a classifier of four fifths of the training images is best on the other fifth; the first among equal ones.
func bestLR(ctx context.Context, dev *tensor.Device, train Features, cfg LinearConfig) (float64, error) {
	order := tensor.NewRand(cfg.Seed, streamHeldOut).Perm(train.Len())
	aside := max(train.Len()/5, 1)
	if aside == train.Len() {
		return 0, fmt.Errorf("training features %s: one image is too few to choose among learning rates", train.Name)
	}
	p := newLinearProbe(dev, train.rows(order[aside:]), train.rows(order[:aside]), cfg)
	defer p.release()
	best, top1 := 0.0, -1.0
	for _, lr := range cfg.LRs {
		s, err := p.score(ctx, lr, 0)
		if err != nil {
			return 0, err
		}
		if s.Top1 > top1 {
			best, top1 = lr, s.Top1
		}
	}
	return best, nil
}

// linearProbe holds the features of a probe for several classifiers.
type linearProbe struct {
	train, val Features
	cfg        LinearConfig
	tx, vx     *tensor.Tensor // features [M, D], standardised where they are to be
}

func newLinearProbe(dev *tensor.Device, train, val Features, cfg LinearConfig) *linearProbe {
	if !slices.Contains([]FeatureNorm{NormStandardize, NormBatch, NormNone}, cfg.Norm) {
		panic(fmt.Sprintf("probe: Linear: norm %q: want standardize, batchnorm or none", cfg.Norm))
	}
	shift, scale := make([]float32, train.Dim), slices.Repeat([]float32{1}, train.Dim)
	if cfg.Norm == NormStandardize {
		shift, scale = standardise(train)
	}
	return &linearProbe{train: train, val: val, cfg: cfg, tx: upload(dev, train, shift, scale), vx: upload(dev, val, shift, scale)}
}

func (p *linearProbe) release() {
	p.tx.Release()
	p.vx.Release()
}

// score trains classifier k and evaluates it.
func (p *linearProbe) score(ctx context.Context, lr float64, k uint64) (Score, error) {
	cfg, dev, m := p.cfg, p.tx.Device(), p.train.Len()
	set := nn.NewSet()
	layer := nn.NewLinear(set.Scope(), p.train.Dim, p.train.Classes, nn.LibraryDefault)
	set.Build(dev, tensor.NewRand(cfg.Seed, streamStart, k).Uint64(), nn.Training)
	defer set.Release()
	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: cfg.Decay})
	defer opt.Release()
	norm := newBatchNorm(p.train.Dim)
	c := nn.Context{Tape: autograd.NewTape(dev), Train: true}
	index, labels := make([]int32, m), make([]int32, m)
	for epoch := range cfg.Epochs {
		if err := ctx.Err(); err != nil {
			return Score{}, err
		}
		for i, j := range tensor.NewRand(cfg.Seed, streamOrder, k, uint64(epoch)).Perm(m) {
			index[i], labels[i] = int32(j), p.train.Labels[j]
		}
		for lo := 0; lo < m; lo += cfg.Batch {
			hi := min(lo+cfg.Batch, m)
			rows := c.Tape.Own(tensor.FromInts(dev, index[lo:hi], hi-lo))
			want := c.Tape.Own(tensor.FromInts(dev, labels[lo:hi], hi-lo))
			x := c.Tape.Own(tensor.GatherRows(p.tx, rows.Value()))
			if cfg.Norm == NormBatch {
				x = c.Tape.Own(norm.batch(x.Value()))
			}
			set.ZeroGrad()
			logits := layer.Forward(c, x, autograd.LinearOptions{})
			c.Tape.Backward(autograd.CrossEntropy(logits, want.Value(), 0))
			opt.Step(lr)
			c.Tape.Reset()
		}
	}
	vx := p.vx
	if cfg.Norm == NormBatch {
		vx = norm.running(vx)
		defer vx.Release()
	}
	logits := c.Tape.Scope(func() *autograd.Var { return layer.Forward(c, c.Tape.Constant(vx), autograd.LinearOptions{}) })
	scores := logits.Value().Float32s()
	c.Tape.Reset()
	best := make([][]int32, p.val.Len())
	for i := range best {
		row := scores[i*p.val.Classes : (i+1)*p.val.Classes]
		if hasNaN(row) {
			return Score{}, fmt.Errorf("classifier %d: a score is not a number: lower the learning rate", k+1)
		}
		best[i] = bestClasses(row)
	}
	return newScore(best, p.val.Labels, p.val.Classes), nil
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
