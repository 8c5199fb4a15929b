package oracletest_test

import (
	"slices"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// caeVariant is the configuration of a context autoencoder under the authors' names.
type caeVariant struct {
	ImageSize      int     `json:"img_size"`
	PatchSize      int     `json:"patch_size"`
	Vocab          int     `json:"vocab_size"`
	Width          int     `json:"embed_dim"`
	Depth          int     `json:"depth"`
	Heads          int     `json:"num_heads"`
	MLPRatio       float64 `json:"mlp_ratio"`
	LayerScale     float64 `json:"init_values"`
	NeckWidth      int     `json:"decoder_embed_dim"`
	NeckHeads      int     `json:"decoder_num_heads"`
	RegressorDepth int     `json:"regressor_depth"`
	DecoderDepth   int     `json:"decoder_depth"`
	NeckScale      float64 `json:"decoder_layer_scale_init_value"`
	Masked         int     `json:"n_mask"`
}

func (v caeVariant) network() cae.NetworkConfig {
	return cae.NetworkConfig{
		ViT: beit.ViTConfig{
			ImageSize: v.ImageSize, PatchSize: v.PatchSize, Channels: 3, Width: v.Width, Depth: v.Depth, Heads: v.Heads, MLPRatio: v.MLPRatio,
			LayerScale: v.LayerScale,
		},
		Neck: cae.NeckConfig{
			Width: v.NeckWidth, Heads: v.NeckHeads, RegressorDepth: v.RegressorDepth, DecoderDepth: v.DecoderDepth, LayerScale: v.NeckScale,
		},
		Vocab: v.Vocab,
	}
}

// caeConfig is the configuration of the file.
type caeConfig struct {
	Train    *oracletest.Steps
	Variants map[string]caeVariant
}

// checkCAE checks of each variant the positions, the forward pass, the losses, all gradients and steps of training.
func checkCAE(t *testing.T, f *oracletest.File, dev *tensor.Device) {
	var config caeConfig
	f.Decode(t, &config)
	for _, variant := range f.Variants() {
		t.Run(variant, func(t *testing.T) {
			v, ok := config.Variants[variant]
			if !ok {
				t.Fatalf("the file's configuration does not describe %s", variant)
			}
			m := caeCase{File: f, variant: variant, of: v, set: nn.NewSet(), copied: nn.NewSet()}
			m.net, m.teacher = cae.NewNetwork(m.set.Scope(), v.network()), cae.NewTeacher(m.copied.Scope(), v.network())
			m.set.Build(dev, 0, nn.Training)
			m.copied.Build(dev, 0, nn.Training)
			defer m.set.Release()
			defer m.copied.Release()
			m.positions(t)
			m.outputs(t)
			if f.Trained(t, variant+"/", config.Train) {
				m.train(t, *config.Train)
			}
			f.Complete(t, variant+"/")
		})
	}
}

// caeCase is a context autoencoder of the file.
type caeCase struct {
	*oracletest.File
	variant     string
	of          caeVariant
	set, copied *nn.Set // of the network, and of the encoder's copy
	net         *cae.Network
	teacher     *beit.ViT
}

// positions compares the table that a new network has with the file's.
func (m caeCase) positions(t *testing.T) {
	t.Helper()
	want := m.Values(t, m.variant+"/param/encoder.pos_embed")
	for i, got := range m.set.Lookup("encoder.pos_embed").Value.Float32s() {
		if d := got - want[i]; d > 1e-6 || d < -1e-6 {
			t.Fatalf("element %d of a new network's positions is %g, want %g", i, got, want[i])
		}
	}
}

// load takes the file's parameters; the encoder's copy begins as the encoder.
func (m caeCase) load(t *testing.T) {
	t.Helper()
	m.Load(t, m.set, m.variant+"/param/")
	cae.Follow(m.copied, m.set)
}

// outputs checks outputs, losses and gradients of a forward and backward pass.
func (m caeCase) outputs(t *testing.T) {
	m.load(t)
	m.set.ZeroGrad()
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	masked, codes := m.Bools(t, m.variant+"/in/mask"), m.Codes(t, m.variant+"/in/codes")
	var labels []int32
	for i, on := range masked {
		if on {
			labels = append(labels, codes[i])
		}
	}
	if want := m.Codes(t, m.variant+"/in/labels"); !slices.Equal(labels, want) || len(labels) != 2*m.of.Masked {
		t.Fatalf("labels %v, want %v", labels, want)
	}
	images := tape.Leaf(m.Tensor(t, m.set.Device(), m.variant+"/in/images"))
	r := m.net.Forward(nn.Context{Tape: tape}, m.teacher, images, cae.NewMasks(masked, m.net.Config.ViT.Tokens()), beit.GivenCodes(codes))
	tape.Backward(r.Loss)
	for name, x := range map[string]*autograd.Var{
		"visible": r.Visible, "latent_pred": r.Predicted, "latent_target": r.Target, "logits": r.Logits, "loss_main": r.Codes, "loss_align": r.Latents,
		"loss": r.Loss,
	} {
		m.EqualTensor(t, m.variant+"/out/"+name, x.Value())
	}
	m.EqualTensor(t, m.variant+"/grad_act/latent_pred", r.Predicted.Grad())
	m.EqualTensor(t, m.variant+"/grad_act/logits", r.Logits.Grad())
	m.EqualTensor(t, m.variant+"/grad_in/images", images.Grad())
	m.Gradients(t, m.set, m.variant+"/grad/")
}

// train checks losses, targets and gradient norms of steps, and the parameters and the encoder's copy after them.
func (m caeCase) train(t *testing.T, s oracletest.Steps) {
	m.load(t)
	opt := optim.NewAdamW(m.set, s.AdamW())
	defer opt.Release()
	tape := autograd.NewTape(m.set.Device())
	masked, codes := m.Bools(t, m.variant+"/train_in/mask"), m.Codes(t, m.variant+"/train_in/codes")
	each := len(codes) / len(s.LR)
	got := map[string][]float32{}
	for i, lr := range s.LR {
		m.set.ZeroGrad()
		images := tape.Constant(m.Part(t, m.set.Device(), m.variant+"/train_in/images", i))
		k := cae.NewMasks(masked[i*each:(i+1)*each], m.net.Config.ViT.Tokens())
		r := m.net.Forward(nn.Context{Tape: tape}, m.teacher, images, k, beit.GivenCodes(codes[i*each:(i+1)*each]))
		cae.Follow(m.copied, m.set)
		tape.Backward(r.Loss)
		opt.StepDecay(lr, s.DecayAt(i))
		note := func(name string, v ...float32) { got[name] = append(got[name], v...) }
		note("loss_main", r.Codes.Value().Item())
		note("loss_align", r.Latents.Value().Item())
		note("latent_target", r.Target.Value().Float32s()...)
		note("grad_norm", oracletest.GradNorm(t, opt))
		tape.Reset()
	}
	for name, values := range got {
		m.Equal(t, m.variant+"/train/"+name, values)
	}
	m.Final(t, m.set, m.variant)
	for _, p := range m.copied.Params() {
		if p.Name != "teacher.pos_embed" { // which is fixed
			m.EqualTensor(t, m.variant+"/train/"+p.Name, p.Value)
		}
	}
}
