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

// LayerModel is a network that returns the output of every block: *beit.MIM, *beit.DINO or *beit.ViT.
type LayerModel interface {
	// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each.
	AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var
}

// LayersConfig is the configuration of the classifiers of Layers.
type LayersConfig struct {
	Epochs, Batch int     // a batch has all training images if there are fewer
	LR            float64 // initial, not scaled by the batch size; cosine decay to 0 with the epochs
	Decay         float64
	SGD           bool // with momentum 0.9, instead of AdamW
	Seed          uint64

	Progress func(epoch, batch, batches int) // may be nil; called after each batch, epochs counting from 1
	Skipped  func(data.Skipped)              // may be nil; called for every unreadable image, which is left out
}

// LayersDefaults is the protocol of BEiT's linear probes (microsoft/unilm, beit/run_linear_eval.py), with a learning rate of 1e-3 for
// every 256 images of a batch.
var LayersDefaults = LayersConfig{Epochs: 100, Batch: 1024, LR: 4e-3, Decay: 1e-4}

// sgdMomentum is the momentum of LayersConfig.SGD.
const sgdMomentum = 0.9

// Input is the size and the normalisation of a network's input images.
type Input struct {
	Size int // side, in pixels
	Norm data.Norm
}

// train is the transform for training: a random resized crop, or for small images a padded random crop, and a horizontal flip.
func (in Input) train() data.Pipeline {
	if in.Size <= wholeUpTo {
		return &data.PadCrop{Pad: min(4, in.Size-1), Views: []data.View{{Size: in.Size, Filter: data.Bicubic, Norm: in.Norm}}}
	}
	return &data.RandomCrop{Scale: [2]float64{0.08, 1}, Views: []data.View{{Size: in.Size, Filter: data.Bilinear, Norm: in.Norm}}}
}

// eval is the transform for evaluation, as Pipeline.
func (in Input) eval() data.Pipeline {
	return &data.Eval{Whole: in.Size <= wholeUpTo, Views: []data.View{{Size: in.Size, Filter: data.Bicubic, Norm: in.Norm}}}
}

// Layers trains a linear probe on every block of a frozen network and evaluates each on val. Its input is the output of the block before
// any norm: class token and mean of the patch tokens, concatenated.
// All probes are trained at once on augmented images, so every epoch runs the network on all training images. The scores are in the order
// of the blocks.
func Layers(ctx context.Context, dev *tensor.Device, train, val data.Dataset, m LayerModel, in Input, cfg LayersConfig) ([]Score, error) {
	if cfg.Epochs < 1 || cfg.Batch < 1 {
		panic(fmt.Sprintf("probe: Layers: epochs and batch must be positive: %+v", cfg))
	}
	classes := len(train.Classes())
	if classes == 0 {
		return nil, errors.New("the images have no labels: a probe needs a folder for each class")
	}
	loader, err := data.NewLoader(train, data.LoaderOptions{
		Batch: cfg.Batch, Pipeline: in.train(), Seed: cfg.Seed, Stream: streamLayers, Skipped: cfg.Skipped,
	})
	if err != nil {
		return nil, err
	}
	valLoader, err := data.NewLoader(val, data.LoaderOptions{Batch: batch, Pipeline: in.eval(), Sequential: true, Skipped: cfg.Skipped})
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
	return p.evaluate(ctx, valLoader)
}

// layers are the classifiers of all blocks. They are made with the first batch, which tells the number of blocks.
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

// features returns class token and mean of the patch tokens of every block, [B, 2d] each.
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

// step makes an optimiser step on the sum of the losses of all classifiers.
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

// evaluate returns the score of every classifier.
func (p *layers) evaluate(ctx context.Context, loader *data.Loader) ([]Score, error) {
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
					return nil, errors.New("a validation image has no label")
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
