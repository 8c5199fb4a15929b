package oracletest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// maeVariant is the configuration of a masked autoencoder under the authors' names.
type maeVariant struct {
	ImageSize    int     `json:"img_size"`
	PatchSize    int     `json:"patch_size"`
	Width        int     `json:"embed_dim"`
	Depth        int     `json:"depth"`
	Heads        int     `json:"num_heads"`
	DecoderWidth int     `json:"decoder_embed_dim"`
	DecoderDepth int     `json:"decoder_depth"`
	DecoderHeads int     `json:"decoder_num_heads"`
	MLPRatio     float64 `json:"mlp_ratio"`
	Normalise    bool    `json:"norm_pix_loss"`
	MaskRatio    float64 `json:"mask_ratio"`
}

func (v maeVariant) network() mae.NetworkConfig {
	return mae.NetworkConfig{
		ViT: beit.ViTConfig{
			ImageSize: v.ImageSize, PatchSize: v.PatchSize, Channels: 3, Width: v.Width, Depth: v.Depth, Heads: v.Heads, MLPRatio: v.MLPRatio,
		},
		Decoder: mae.DecoderConfig{Width: v.DecoderWidth, Depth: v.DecoderDepth, Heads: v.DecoderHeads},
	}
}

// maeConfig is the configuration of the file.
type maeConfig struct {
	Train    *oracletest.Steps
	Variants map[string]maeVariant
	Keep     map[string]int
	SinCos   []struct{ Dim, Grid int }
}

// checkMAE checks tables, and of each variant the forward pass, the loss, all gradients and steps of training.
func checkMAE(t *testing.T, f *oracletest.File, dev *tensor.Device) {
	var config maeConfig
	f.Decode(t, &config)
	t.Run("sincos", func(t *testing.T) {
		for _, c := range config.SinCos {
			f.Equal(t, fmt.Sprintf("sincos/d%d_grid%d/out/table", c.Dim, c.Grid), mae.Positions(c.Dim, c.Grid))
		}
		f.Complete(t, "sincos/")
	})
	for _, variant := range f.Variants() {
		if variant == "sincos" {
			continue
		}
		t.Run(variant, func(t *testing.T) {
			v, ok := config.Variants[variant]
			if !ok {
				t.Fatalf("the file's configuration does not describe %s", variant)
			}
			m := maeCase{File: f, variant: variant, of: v, set: nn.NewSet()}
			m.net = mae.NewNetwork(m.set.Scope(), v.network())
			m.set.Build(dev, 0, nn.Training)
			defer m.set.Release()
			m.positions(t)
			if keep := mae.Kept(m.net.Config.ViT.Tokens(), v.MaskRatio); keep != config.Keep[variant] {
				t.Fatalf("%d patches are kept, want %d", keep, config.Keep[variant])
			}
			m.outputs(t)
			if f.Trained(t, variant+"/", config.Train) {
				m.train(t, *config.Train)
			}
			f.Complete(t, variant+"/")
		})
	}
}

// maeCase is a masked autoencoder of the file.
type maeCase struct {
	*oracletest.File
	variant string
	of      maeVariant
	set     *nn.Set
	net     *mae.Network
}

// positions compares the tables that a new network has with the file's.
func (m maeCase) positions(t *testing.T) {
	t.Helper()
	for _, name := range []string{"pos_embed", "decoder_pos_embed"} {
		want := m.Values(t, m.variant+"/param/"+name)
		for i, got := range m.set.Lookup(name).Value.Float32s() {
			if d := got - want[i]; d > 1e-6 || d < -1e-6 {
				t.Fatalf("%s: element %d of a new network is %g, want %g", name, i, got, want[i])
			}
		}
	}
}

// masks are those of noise.
func (m maeCase) masks(noise []float32) mae.Masks {
	wide := make([]float64, len(noise))
	for i, v := range noise {
		wide[i] = float64(v)
	}
	n := m.net.Config.ViT.Tokens()
	return mae.ByNoise(wide, n, mae.Kept(n, m.of.MaskRatio))
}

// outputs checks masks, outputs, loss and gradients of a forward and backward pass.
func (m maeCase) outputs(t *testing.T) {
	m.Load(t, m.set, m.variant+"/param/")
	m.set.ZeroGrad()
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	k := m.masks(m.Values(t, m.variant+"/in/noise"))
	masked, ranks := make([]int, len(k.Order)), make([]int, len(k.Order))
	for i, on := range k.Masked() {
		if on {
			masked[i] = 1
		}
	}
	for i, rank := range k.Ranks() {
		ranks[i] = int(rank)
	}
	m.EqualInts(t, m.variant+"/out/mask", masked)
	m.EqualInts(t, m.variant+"/out/ids_restore", ranks)

	images := tape.Leaf(m.Tensor(t, m.set.Device(), m.variant+"/in/images"))
	tape.NoGrad(func() {
		m.EqualTensor(t, m.variant+"/out/patches", mae.Target(images, m.of.PatchSize, false).Value())
	})
	r := m.net.Forward(nn.Context{Tape: tape}, images, k, m.of.Normalise)
	tape.Backward(r.Loss)
	m.EqualTensor(t, m.variant+"/out/latent", r.Latent.Value())
	m.EqualTensor(t, m.variant+"/out/pred", r.Pixels.Value())
	m.EqualTensor(t, m.variant+"/out/loss", r.Loss.Value())
	m.EqualTensor(t, m.variant+"/grad_act/latent", r.Latent.Grad())
	m.EqualTensor(t, m.variant+"/grad_act/pred", r.Pixels.Grad())
	m.EqualTensor(t, m.variant+"/grad_in/images", images.Grad())
	m.Gradients(t, m.set, m.variant+"/grad/")
}

// train checks the losses of steps and the parameters after them.
func (m maeCase) train(t *testing.T, s oracletest.Steps) {
	m.Load(t, m.set, m.variant+"/param/")
	opt := optim.NewAdamW(m.set, s.AdamW())
	defer opt.Release()
	tape := autograd.NewTape(m.set.Device())
	noise := m.Values(t, m.variant+"/train_in/noise")
	each := len(noise) / len(s.LR)
	var losses []float32
	for i, lr := range s.LR {
		m.set.ZeroGrad()
		images := tape.Constant(m.Part(t, m.set.Device(), m.variant+"/train_in/images", i))
		r := m.net.Forward(nn.Context{Tape: tape}, images, m.masks(noise[i*each:(i+1)*each]), m.of.Normalise)
		tape.Backward(r.Loss)
		opt.StepDecay(lr, s.DecayAt(i))
		losses = append(losses, r.Loss.Value().Item())
		tape.Reset()
	}
	m.Equal(t, m.variant+"/train/loss", losses)
	m.Final(t, m.set, m.variant)
	for _, name := range m.Names(m.variant + "/final_qv/") { // of the keys' biases only rounding decides
		d := m.set.Lookup(name).Shape[0] / 3
		queryAndValue := func(v []float32) []float32 { return slices.Concat(v[:d], v[2*d:]) }
		m.Moved(t, m.variant+"/final_qv/"+name, queryAndValue(m.Values(t, m.variant+"/param/"+name)), queryAndValue(m.set.Lookup(name).Value.Float32s()))
	}
}
