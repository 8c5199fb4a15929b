package oracletest

import (
	"math"
	"strconv"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// modelConfig is the configuration of a model under the authors' names.
type modelConfig struct {
	ImageSize    int     `json:"img_size"`
	PatchSize    int     `json:"patch_size"`
	Channels     int     `json:"in_chans"`
	Classes      int     `json:"num_classes"`
	Vocab        int     `json:"vocab_size"`
	Width        int     `json:"embed_dim"`
	Depth        int     `json:"depth"`
	Heads        int     `json:"num_heads"`
	MLPRatio     float64 `json:"mlp_ratio"`
	QKVBias      bool    `json:"qkv_bias"`
	LayerScale   float64 `json:"init_values"`
	AbsPos       bool    `json:"use_abs_pos_emb"`
	BlockRel     bool    `json:"use_rel_pos_bias"`
	SharedRel    bool    `json:"use_shared_rel_pos_bias"`
	MeanPool     bool    `json:"use_mean_pooling"`
	InitScale    float64 `json:"init_scale"`
	EarlyLayers  int     `json:"early_layers"`
	HeadLayers   int     `json:"head_layers"`
	SharedLMHead bool    `json:"shared_lm_head"`
}

func (c modelConfig) vit() beit.ViTConfig {
	v := beit.ViTConfig{
		ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: max(c.Channels, 1), Width: c.Width, Depth: c.Depth, Heads: c.Heads,
		MLPRatio: c.MLPRatio, QKVBias: c.QKVBias, LayerScale: c.LayerScale, AbsPos: c.AbsPos, RelPos: beit.RelPosNone,
		MeanPool: c.MeanPool, Classes: c.Classes, InitScale: c.InitScale,
	}
	if c.Channels == 0 {
		v.Channels = 3 // RGB
	}
	if c.BlockRel {
		v.RelPos = beit.RelPosBlock
	}
	if c.SharedRel {
		v.RelPos = beit.RelPosShared
	}
	return v
}

// steps describes training steps. A field is nil or 0 if the file's variant does not have it.
type steps struct {
	LR         []float64  `json:"lr"`
	Decay      decays     `json:"wd"`
	Betas      [2]float64 `json:"betas"`
	Eps        float64    `json:"eps"` // 0: 1e-8
	Clip       float64    `json:"clip_grad"`
	LayerDecay float64    `json:"layer_decay"` // 0: the same rate for all layers
	Smoothing  float32    `json:"smoothing"`
}

// adamW returns the configuration of the optimiser for a model of the given depth.
func (s steps) adamW(depth int) optim.AdamWConfig {
	c := optim.AdamWConfig{Beta1: s.Betas[0], Beta2: s.Betas[1], Eps: s.Eps, Clip: s.Clip}
	if c.Eps == 0 {
		c.Eps = 1e-8 // PyTorch's default
	}
	if s.LayerDecay != 0 {
		c.LRScale = func(p *nn.Param) float64 { return optim.LayerDecay(s.LayerDecay, depth, beit.LayerID(p.Name, depth)) }
	}
	return c
}

// trained reports whether a variant has training steps. Then the configuration must have a learning rate for each.
func (f *file) trained(t *testing.T, variant string, s *steps) bool {
	t.Helper()
	if len(f.names(variant+"train/")) == 0 {
		return false
	}
	if s == nil || len(s.Decay) == 0 {
		t.Fatalf("%strain: the configuration does not describe the steps", variant)
	}
	if n := f.shape(t, variant+"train_in/images")[0]; n != len(s.LR) {
		t.Fatalf("%strain_in: %d steps, but the configuration has %d learning rates", variant, n, len(s.LR))
	}
	return true
}

func runViT(t *testing.T, f *file, dev *tensor.Device) {
	var config struct {
		Train    *steps
		Variants map[string]modelConfig
	}
	f.config(t, &config)
	for _, variant := range f.variants() {
		t.Run(variant, func(t *testing.T) {
			c, ok := config.Variants[variant]
			if !ok {
				f.set.Unknown(t, "%s: the file's configuration does not describe this variant", variant)
			}
			m := vitCase{file: f, variant: variant + "/", set: nn.NewSet()}
			m.vit = beit.NewViT(m.set.Scope(), c.vit())
			m.set.Build(dev, 0, nn.Training)
			defer m.set.Release()
			m.outputs(t)
			m.features(t)
			if f.trained(t, m.variant, config.Train) {
				m.train(t, *config.Train)
				f.final(t, m.set, variant)
			}
			f.complete(t, variant+"/")
		})
	}
}

// vitCase is a classifier of the file.
type vitCase struct {
	*file
	variant string
	set     *nn.Set
	vit     *beit.ViT
}

// outputs checks logits, loss and gradients of one forward and backward pass.
func (m vitCase) outputs(t *testing.T) {
	m.load(t, m.set, m.variant+"param/")
	m.set.ZeroGrad()
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	images := tape.Leaf(m.tensor(t, m.set.Device(), m.variant+"in/images"))
	logits := m.vit.Logits(ctx, images).Keep()
	labels := m.int32s(t, m.variant+"in/labels")
	loss := autograd.CrossEntropy(logits, tensor.FromInts(m.set.Device(), labels, len(labels)), 0)
	tape.Backward(loss)
	m.equalTensor(t, m.variant+"out/logits", logits.Value())
	m.equalTensor(t, m.variant+"out/loss", loss.Value())
	m.equalTensor(t, m.variant+"grad_in/images", images.Grad())
	m.gradients(t, m.set, m.variant+"grad/")
}

// features checks all other outputs, computed as in inference.
func (m vitCase) features(t *testing.T) {
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	out := func(name string, f func() *autograd.Var) {
		t.Helper()
		m.equalTensor(t, m.variant+"out/"+name, tape.Scope(f).Value())
	}
	images := tape.Constant(m.tensor(t, m.set.Device(), m.variant+"in/images"))
	out("pooled_features", func() *autograd.Var { return m.vit.Pooled(ctx, images) })
	out("patch_tokens_features", func() *autograd.Var { return m.vit.PatchTokens(ctx, images) })
	all := tape.Scope(func() *autograd.Var { return m.vit.AllTokens(ctx, images) })
	m.equalTensor(t, m.variant+"out/all_tokens_features", all.Value())
	out("all_tokens_logits", func() *autograd.Var { return m.vit.Head.Forward(ctx, all, autograd.LinearOptions{}) })
	out("patch_embed", func() *autograd.Var { return m.vit.Embed.Forward(ctx, images) })
	out("last_block_attention", func() *autograd.Var { return m.vit.AttentionMaps(ctx, images, m.vit.Depth()) })
	if m.vit.SharedRel != nil {
		out("shared_rel_pos_bias", func() *autograd.Var { return m.vit.SharedRel.Forward(ctx) })
	}
	tape.NoGrad(func() {
		blocks := m.vit.AllBlocks(ctx, images)
		for i, x := range blocks {
			n := strconv.Itoa(i)
			m.equalTensor(t, m.variant+"out/block_all_tokens."+n, x.Value())
			out("block_patch_tokens."+n, func() *autograd.Var { return m.vit.BlockTokens(ctx, images, i+1) })
			if name := "norm1_of_block." + strconv.Itoa(i+1); m.has(m.variant + "out/" + name) {
				out(name, func() *autograd.Var { return patches(m.vit.Blocks[i+1].Norm1.Forward(ctx, x)) })
			}
		}
	})
	out("norm1_of_block.0", func() *autograd.Var {
		return patches(m.vit.Blocks[0].Norm1.Forward(ctx, m.vit.Residual(ctx, images)))
	})
}

// patches returns the patch tokens.
func patches(x *autograd.Var) *autograd.Var { return autograd.Slice(x, 1, 1, x.Shape()[1]) }

// train checks the loss and gradient norm of each step.
func (m vitCase) train(t *testing.T, s steps) {
	m.load(t, m.set, m.variant+"param/")
	dev := m.set.Device()
	opt := optim.NewAdamW(m.set, s.adamW(m.vit.Config.Depth))
	defer opt.Release()
	tape := autograd.NewTape(dev)
	var losses, norms []float32
	labels := m.int32s(t, m.variant+"train_in/labels")
	batch := len(labels) / len(s.LR)
	for i, lr := range s.LR {
		m.set.ZeroGrad()
		logits := m.vit.Logits(nn.Context{Tape: tape}, tape.Constant(m.part(t, dev, m.variant+"train_in/images", i)))
		loss := autograd.CrossEntropy(logits, tensor.FromInts(dev, labels[i*batch:(i+1)*batch], batch), s.Smoothing)
		tape.Backward(loss)
		opt.StepDecay(lr, s.Decay.at(i))
		losses, norms = append(losses, loss.Value().Item()), append(norms, gradNorm(t, opt))
		tape.Reset()
	}
	m.equal(t, m.variant+"train/loss", losses)
	m.equal(t, m.variant+"train/grad_norm", norms)
}

// gradNorm returns the gradient norm of the last step before clipping.
func gradNorm(t *testing.T, opt *optim.AdamW) float32 {
	t.Helper()
	state := opt.State().Float32s()
	if state[2] != 1 || math.IsNaN(float64(state[0])) {
		t.Error("the gradient is not finite")
	}
	return state[0]
}
