package oracletest

import (
	"strconv"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

func runMIM(t *testing.T, f *file, dev *tensor.Device) {
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
			m := mimCase{file: f, variant: variant + "/", set: nn.NewSet()}
			m.mim = beit.NewMIM(m.set.Scope(), beit.MIMConfig{
				ViT: c.vit(), Vocab: c.Vocab, Aggregation: beit.AggregationConfig{Layer: c.EarlyLayers, Depth: c.HeadLayers, SharedHead: c.SharedLMHead},
			})
			m.set.Build(dev, 0, nn.Training)
			defer m.set.Release()
			m.outputs(t)
			m.everyPatch(t)
			if f.trained(t, m.variant, config.Train) {
				m.train(t, *config.Train)
				f.final(t, m.set, variant)
			}
			f.complete(t, variant+"/")
		})
	}
}

// mimCase is a MIM model of the file.
type mimCase struct {
	*file
	variant string
	set     *nn.Set
	mim     *beit.MIM
}

// bools converts zeros and ones.
func bools(v []int) []bool {
	out := make([]bool, len(v))
	for i, x := range v {
		out[i] = x != 0
	}
	return out
}

// outputs checks logits, losses and gradients of one forward and backward pass.
func (m mimCase) outputs(t *testing.T) {
	m.load(t, m.set, m.variant+"param/")
	m.set.ZeroGrad()
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	images := tape.Leaf(m.tensor(t, m.set.Device(), m.variant+"in/images"))
	labels := beit.GivenCodes(m.int32s(t, m.variant+"in/codes"))
	r := m.mim.Forward(nn.Context{Tape: tape}, images, bools(m.ints(t, m.variant+"in/mask")), labels)
	var picked []int
	for _, c := range labels.Codes(tape, r.Rows).Ints() {
		picked = append(picked, int(c))
	}
	m.equalInts(t, m.variant+"in/labels", picked)
	m.equalTensor(t, m.variant+"out/logits_masked_main", r.LogitsMIM.Value())
	m.equalTensor(t, m.variant+"out/loss_main", r.MIM.Value())
	m.equalTensor(t, m.variant+"out/loss_total", r.Loss.Value())
	if r.Aggregation != nil {
		m.equalTensor(t, m.variant+"out/logits_masked_cls_pt", r.LogitsAggregation.Value())
		m.equalTensor(t, m.variant+"out/loss_cls_pt", r.Aggregation.Value())
	}
	tape.Backward(r.Loss)
	m.equalTensor(t, m.variant+"grad_in/images", images.Grad())
	m.gradients(t, m.set, m.variant+"grad/")
}

// everyPatch checks the outputs for all patches, masked or not, which it computes from the parts of the model.
func (m mimCase) everyPatch(t *testing.T) {
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	shape := m.shape(t, m.variant+"in/mask")
	mask := tensor.FromSlice(m.set.Device(), m.floats(t, m.variant+"in/mask"), shape[0], shape[1], 1)
	out := func(name string, v *autograd.Var) {
		t.Helper()
		m.equalTensor(t, m.variant+"out/"+name, v.Value())
	}
	tape.NoGrad(func() {
		x := m.mim.ResidualMasked(ctx, tape.Constant(m.tensor(t, m.set.Device(), m.variant+"in/images")), mask)
		var shared *autograd.Var
		if m.mim.SharedRel != nil {
			shared = m.mim.SharedRel.Forward(ctx)
			out("shared_rel_pos_bias", shared)
		}
		var early *autograd.Var
		for i := range m.mim.Blocks {
			x = m.mim.Blocks[i].Forward(ctx, x, shared)
			out("block_patch_tokens."+strconv.Itoa(i), patches(x))
			if i+1 == m.mim.Config.Aggregation.Layer {
				early = x
			}
		}
		normed := patches(m.mim.Norm.Forward(ctx, x))
		out("patch_features_main", normed)
		out("logits_all_patches_main", m.mim.Head.Forward(ctx, normed, autograd.LinearOptions{}))
		if len(m.mim.AggregationBlocks) > 0 {
			s := autograd.Concat(1, autograd.Slice(x, 1, 0, 1), patches(early))
			normed := patches(m.mim.AggregationNorm.Forward(ctx, m.mim.AggregationBlocks.Forward(ctx, s, shared)))
			out("patch_features_cls_pt", normed)
			out("logits_all_patches_cls_pt", m.mim.AggregationHead.Forward(ctx, normed, autograd.LinearOptions{}))
		}
	})
}

// train checks the losses and the gradient norm of each step.
func (m mimCase) train(t *testing.T, s steps) {
	m.load(t, m.set, m.variant+"param/")
	dev := m.set.Device()
	opt := optim.NewAdamW(m.set, s.adamW(m.mim.Config.ViT.Depth))
	defer opt.Release()
	tape := autograd.NewTape(dev)
	got := map[string][]float32{}
	masks, codes := bools(m.ints(t, m.variant+"train_in/mask")), m.int32s(t, m.variant+"train_in/codes")
	n := len(codes) / len(s.LR)
	for i, lr := range s.LR {
		m.set.ZeroGrad()
		images := tape.Constant(m.part(t, dev, m.variant+"train_in/images", i))
		r := m.mim.Forward(nn.Context{Tape: tape}, images, masks[i*n:(i+1)*n], beit.GivenCodes(codes[i*n:(i+1)*n]))
		tape.Backward(r.Loss)
		opt.StepDecay(lr, s.Decay.at(i))
		note := func(name string, v float32) { got[name] = append(got[name], v) }
		note("loss_main", r.MIM.Value().Item())
		note("loss_total", r.Loss.Value().Item())
		if r.Aggregation != nil {
			note("loss_cls_pt", r.Aggregation.Value().Item())
		}
		note("grad_norm", gradNorm(t, opt))
		tape.Reset()
	}
	for name, values := range got {
		m.equal(t, m.variant+"train/"+name, values)
	}
}
