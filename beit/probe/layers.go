package probe

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// LayerModel is a network whose blocks can be looked into: MIM, DINO and ViT are.
type LayerModel interface {
	// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each.
	AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var
}

// LayersConfig says how the classifiers of Layers are trained.
type LayersConfig struct {
	Epochs, Batch int     // a batch is all training pictures where those are fewer
	LR            float64 // peak, whatever the batch; it falls with the epochs, by half a cosine, to 0
	Decay         float64
	SGD           bool // with momentum 0.9, in place of AdamW
	Seed          uint64

	Progress func(epoch, batch, batches int) // may be nil; called after each batch, epochs counting from 1
	Skipped  func(data.Skipped)              // may be nil; told of every picture that cannot be read and is left out
}

// LayersDefaults is the protocol of BEiT's linear probes (microsoft/unilm, beit/run_linear_eval.py): 1e-3 for each 256 pictures of a batch.
var LayersDefaults = LayersConfig{Epochs: 100, Batch: 1024, LR: 4e-3, Decay: 1e-4}

// sgdMomentum is that of LayersConfig.SGD.
const sgdMomentum = 0.9

// Input says what pictures a network takes.
type Input struct {
	Size int // side
	Norm data.Norm
}

// train is the augmentation: a random resized crop, or for small pictures a shift by up to 4 pixels; and a flip.
func (in Input) train() data.Pipeline {
	if in.Size <= wholeUpTo {
		return &data.PadCrop{Pad: min(4, in.Size-1), Views: []data.View{{Size: in.Size, Filter: data.Bicubic, Norm: in.Norm}}}
	}
	return &data.RandomCrop{Scale: [2]float64{0.08, 1}, Views: []data.View{{Size: in.Size, Filter: data.Bilinear, Norm: in.Norm}}}
}

// eval shows the whole picture or its centre, as Pipeline does.
func (in Input) eval() data.Pipeline {
	return &data.Eval{Whole: in.Size <= wholeUpTo, Views: []data.View{{Size: in.Size, Filter: data.Bicubic, Norm: in.Norm}}}
}

// Layers trains for each block of a frozen network one linear layer on its output before any norm, class token and mean of the patch tokens side by
// side, all at once and on augmented pictures, and judges each on val. Every epoch runs the network over all training pictures.
// The scores are those of the blocks in their order.
func Layers(ctx context.Context, dev *tensor.Device, train, val data.Dataset, m LayerModel, in Input, cfg LayersConfig) ([]Score, error) {
	if cfg.Epochs < 1 || cfg.Batch < 1 {
		panic(fmt.Sprintf("probe: Layers: epochs and batch must be positive: %+v", cfg))
	}
	classes := len(train.Classes())
	if classes == 0 {
		return nil, errors.New("the pictures have no labels: a probe needs a folder for each class")
	}
	loader, err := data.NewLoader(train, data.LoaderOptions{
		Batch: cfg.Batch, Pipeline: in.train(), Seed: cfg.Seed, Stream: streamLayers, Skipped: cfg.Skipped,
	})
	if err != nil {
		return nil, err
	}
	judge, err := data.NewLoader(val, data.LoaderOptions{Batch: batch, Pipeline: in.eval(), Sequential: true, Skipped: cfg.Skipped})
	if err != nil {
		return nil, err
	}
	p := &layers{model: m, dev: dev, in: in, classes: classes, tape: autograd.NewTape(dev)}
	defer p.release()
	for epoch := range cfg.Epochs {
		for b, err := range loader.Batches(ctx, epoch, 0) {
			if err != nil {
				return nil, fmt.Errorf("probe: %w", err)
			}
			p.step(b, cfg, epoch)
			if cfg.Progress != nil {
				cfg.Progress(epoch+1, b.Number+1, loader.Len())
			}
		}
	}
	return p.judge(ctx, judge)
}

// layers are the classifiers under way; they are made with the first batch, which tells how many there are.
type layers struct {
	model   LayerModel
	dev     *tensor.Device
	in      Input
	classes int
	tape    *autograd.Tape
	set     *nn.Set
	heads   []*nn.Linear
	adam    *optim.AdamW
	sgd     *optim.SGD
}

func (p *layers) release() {
	p.tape.Reset()
	if p.adam != nil {
		p.adam.Release()
	}
	if p.sgd != nil {
		p.sgd.Release()
	}
	if p.set != nil {
		p.set.Release()
	}
}

// features are class token and mean of each block's output, [B, 2d].
func (p *layers) features(b *data.Batch) (list []*autograd.Var) {
	p.tape.NoGrad(func() {
		values, shape := b.Tensor("image")
		images := p.tape.Own(tensor.FromSlice(p.dev, values, shape...))
		for _, x := range p.model.AllBlocks(nn.Context{Tape: p.tape}, images) {
			class, mean := beit.Pool(x)
			list = append(list, autograd.Concat(1, class, mean))
		}
	})
	return list
}

// make declares and builds one classifier for each block.
func (p *layers) make(blocks, dim int, cfg LayersConfig) {
	p.set = nn.NewSet()
	for i := range blocks {
		p.heads = append(p.heads, nn.NewLinear(p.set.Scope().Index(i), dim, p.classes, nn.Normal(0.01, -2, 2)))
	}
	p.set.Build(p.dev, cfg.Seed, nn.Training)
	if cfg.SGD {
		p.sgd = optim.NewSGD(p.set, optim.SGDConfig{Momentum: sgdMomentum})
	} else {
		p.adam = optim.NewAdamW(p.set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: cfg.Decay})
	}
}

// step is one update by the sum of all classifiers' losses.
func (p *layers) step(b *data.Batch, cfg LayersConfig, epoch int) {
	list := p.features(b)
	if p.set == nil {
		p.make(len(list), list[0].Shape()[1], cfg)
	}
	p.set.ZeroGrad()
	labels := p.tape.Own(tensor.FromInts(p.dev, b.Labels, len(b.Labels))).Value()
	c := nn.Context{Tape: p.tape, Train: true}
	var loss *autograd.Var
	for i, x := range list {
		one := autograd.CrossEntropy(p.heads[i].Forward(c, x, autograd.LinearOptions{}), labels, 0)
		if loss == nil {
			loss = one
		} else {
			loss = autograd.Add(loss, one)
		}
	}
	p.tape.Backward(loss)
	lr := cfg.LR * 0.5 * (1 + math.Cos(math.Pi*float64(epoch)/float64(cfg.Epochs)))
	if p.sgd != nil {
		p.sgd.Step(lr)
	} else {
		p.adam.Step(lr)
	}
	p.tape.Reset()
}

// judge scores every classifier.
func (p *layers) judge(ctx context.Context, loader *data.Loader) ([]Score, error) {
	tallies := make([]*Tally, len(p.heads))
	for i := range tallies {
		tallies[i] = NewTally(p.classes)
	}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, fmt.Errorf("probe: %w", err)
		}
		for i, x := range p.features(b) {
			var rows []float32
			p.tape.NoGrad(func() {
				rows = p.heads[i].Forward(nn.Context{Tape: p.tape}, x, autograd.LinearOptions{}).Value().Float32s()
			})
			for j, label := range b.Labels {
				scores := rows[j*p.classes : (j+1)*p.classes]
				if label < 0 {
					return nil, errors.New("a validation picture has no label")
				}
				if hasNaN(scores) {
					return nil, fmt.Errorf("block %d: a score is not a number: lower the learning rate", i+1)
				}
				tallies[i].Add(scores, label)
			}
		}
		p.tape.Reset()
	}
	var list []Score
	for _, t := range tallies {
		list = append(list, t.Score())
	}
	return list, nil
}
