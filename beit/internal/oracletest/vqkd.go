package oracletest

import (
	"slices"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// vqkdConfig is the part of the file's configuration for a tokenizer.
type vqkdConfig struct {
	Codes   int         `json:"n_embed"`
	CodeDim int         `json:"code_dim"`
	Decay   float64     `json:"decay"`
	OutDim  int         `json:"out_dim"`
	Encoder modelConfig `json:"encoder"`
	Decoder modelConfig `json:"decoder"`
	Train   *steps      `json:"train"`
}

func runVQKD(t *testing.T, f *file, dev *tensor.Device) {
	var c vqkdConfig
	f.config(t, &c)
	for _, variant := range f.variants() {
		t.Run(variant, func(t *testing.T) {
			switch {
			case f.has(variant + "/in/initial_indices"):
				runKMeans(t, f, variant+"/", dev)
				return
			case len(f.names(variant+"/param/")) == 0 && len(f.names(variant+"/out/default_")) > 0:
				runPreProcess(t, f, variant+"/", dev)
				return
			case len(f.names(variant+"/param/")) == 0:
				f.set.Unknown(t, "%s: no check for this part of the tokenizer", variant)
			}
			m := vqkdCase{file: f, variant: variant + "/", set: nn.NewSet()}
			m.model = beit.NewVQKD(m.set.Scope(), beit.VQKDConfig{
				Encoder: c.Encoder.vit(), Decoder: c.Decoder.vit(), Codes: c.Codes, CodeDim: c.CodeDim, TargetDim: c.OutDim,
				Decay: c.Decay, Beta: 1,
			})
			m.set.Build(dev, 0, nn.Training)
			defer m.set.Release()
			m.load(t, m.set, m.variant+"param/", m.variant+"buffer/")
			if f.has(m.variant + "out/eval_tokens") {
				m.evaluate(t)
			}
			if f.has(m.variant + "in/kmeans_randperm") {
				m.kMeans(t)
			}
			m.parts(t)
			m.pass(t)
			if f.trained(t, m.variant, c.Train) {
				m.train(t, *c.Train)
				f.final(t, m.set, variant)
			}
			f.complete(t, m.variant)
		})
	}
}

// vqkdCase is a tokenizer of the file.
type vqkdCase struct {
	*file
	variant string
	set     *nn.Set
	model   *beit.VQKD
}

// images returns the input of the first forward pass.
func (m vqkdCase) images(t *testing.T, tape *autograd.Tape) *autograd.Var {
	return tape.Own(m.tensor(t, tape.Device(), m.variant+"in/images"))
}

func (m vqkdCase) target(t *testing.T) *tensor.Tensor {
	return m.tensor(t, m.set.Device(), m.variant+"in/target")
}

func widen(v []int32) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

// evaluate checks the codes and the usage statistics of an evaluation from the initial state. Both leave the codebook unchanged.
func (m vqkdCase) evaluate(t *testing.T) {
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	before := m.model.Codebook.Value.Float32s()
	m.equalInts(t, m.variant+"out/eval_tokens", widen(m.model.Codes(ctx, m.images(t, tape)).Ints()))
	tape.NoGrad(func() { m.model.Accumulate(m.model.Forward(ctx, m.images(t, tape), m.target(t))) })
	m.model.UpdateUsage()
	m.equalTensor(t, m.variant+"out/eval_cluster_size_after", m.model.Usage.Value)
	m.model.ResetUsage()
	if worst, _, _ := distance(t, "codebook", m.model.Codebook.Value.Float32s(), before); worst != 0 {
		t.Errorf("an evaluation moved the codebook by %g", worst)
	}
}

// kMeans checks the initialisation of the codebook.
func (m vqkdCase) kMeans(t *testing.T) {
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	z := tape.Scope(func() *autograd.Var { return m.model.Encode(nn.Context{Tape: tape}, m.images(t, tape)) })
	if m.model.Ready() {
		t.Error("the tokenizer is ready before its codebook is initialised")
	}
	counts := m.model.InitKMeans(z.Value(), m.ints(t, m.variant+"in/kmeans_randperm")[:m.model.Config.Codes])
	m.equalInts(t, m.variant+"out/kmeans_bins", round(counts))
	m.equalTensor(t, m.variant+"out/kmeans_codebook", m.model.Codebook.Value)
	m.equalTensor(t, m.variant+"out/embedding_cluster_size_after", m.model.Bins.Value)
	m.equalTensor(t, m.variant+"out/initted_after", m.model.Initted.Value)
}

func round(v []float32) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

// parts checks intermediate values of the tokenizer, computed as in inference.
func (m vqkdCase) parts(t *testing.T) {
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	tape.NoGrad(func() {
		images := beit.SymmetricRange(m.images(t, tape), 1)
		m.equalTensor(t, m.variant+"out/pre_process", images.Value())
		m.equalTensor(t, m.variant+"out/encoder_patch_features", m.model.Encoder.PatchTokens(ctx, images).Value())
		r := m.model.Forward(ctx, m.images(t, tape), m.target(t))
		m.equalTensor(t, m.variant+"out/decoder_patch_features", m.model.Decoder.DecodeTokens(ctx, r.Quantized).Value())
		if name := m.variant + "out/distances"; m.has(name) {
			m.equal(t, name, distances(r.Z, m.model.Codebook.Value))
		}
	})
}

// distances returns the squared distances of every row of z to every row of codebook.
func distances(z, codebook *tensor.Tensor) []float32 {
	a, b, d := z.Float32s(), codebook.Float32s(), z.Dim(1)
	var out []float32
	for ; len(a) > 0; a = a[d:] {
		for at := 0; at < len(b); at += d {
			sum := 0.0
			for i := range d {
				x := float64(a[i]) - float64(b[at+i])
				sum += x * x
			}
			out = append(out, float32(sum))
		}
	}
	return out
}

// pass checks a training pass, its gradients and the codebook after it.
func (m vqkdCase) pass(t *testing.T) {
	m.set.ZeroGrad()
	tape := autograd.NewTape(m.set.Device())
	defer tape.Reset()
	r := m.model.Forward(nn.Context{Tape: tape}, m.images(t, tape), m.target(t))
	r.Features.Keep()
	r.Quantized.Keep()
	out := func(name string, v *tensor.Tensor) {
		t.Helper()
		m.equalTensor(t, m.variant+name, v)
	}
	out("out/to_quantizer_features", r.Features.Value())
	m.equalInts(t, m.variant+"out/indices", widen(r.Codes.Ints()))
	out("out/quantizer_output", r.Quantized.Value().Permute(0, 2, 1)) // [B, D, h·w]
	out("out/reconstruction", r.Reconstruction.Value())
	out("out/emb_loss", r.Commitment.Value())
	out("out/rec_loss", r.Rec.Value())
	out("out/total_loss", r.Loss.Value())
	tape.Backward(r.Loss)
	out("grad_act/quantizer_output", r.Quantized.Grad().Permute(0, 2, 1))
	out("grad_act/to_quantizer_features", r.Features.Grad())
	m.gradients(t, m.set, m.variant+"grad/")
	m.model.Accumulate(r)
	m.model.UpdateCodebook()
	out("out/codebook_after", m.model.Codebook.Value)
	out("out/cluster_size_after", m.model.Usage.Value)
}

// train checks losses, codes, codebook and statistics of each step. The codebook continues from the state after pass.
func (m vqkdCase) train(t *testing.T, s steps) {
	dev := m.set.Device()
	opt := optim.NewAdamW(m.set, s.adamW(m.model.Config.Encoder.Depth))
	defer opt.Release()
	tape := autograd.NewTape(dev)
	got := map[string][]float32{}
	var codes []int
	for i, lr := range s.LR {
		m.set.ZeroGrad()
		images := tape.Constant(m.part(t, dev, m.variant+"train_in/images", i))
		r := m.model.Forward(nn.Context{Tape: tape}, images, m.part(t, dev, m.variant+"train_in/target", i))
		tape.Backward(r.Loss)
		m.model.Accumulate(r)
		m.model.UpdateCodebook()
		opt.StepDecay(lr, s.Decay.at(i))
		note := func(name string, v ...float32) { got[name] = append(got[name], v...) }
		note("quant_loss", r.Commitment.Value().Item())
		note("rec_loss", r.Rec.Value().Item())
		note("total_loss", r.Loss.Value().Item())
		note("grad_norm", gradNorm(t, opt))
		note("codebook", m.model.Codebook.Value.Float32s()...)
		note("cluster_size", m.model.Usage.Value.Float32s()...)
		codes = append(codes, widen(r.Codes.Ints())...)
		tape.Reset()
	}
	m.equalInts(t, m.variant+"train/indices", codes)
	for name, values := range got {
		m.equal(t, m.variant+"train/"+name, values)
	}
}

// runKMeans checks k-means alone, after every iteration.
func runKMeans(t *testing.T, f *file, variant string, dev *tensor.Device) {
	z := f.tensor(t, dev, variant+"in/samples")
	initial := f.ints(t, variant+"in/initial_indices")
	var centroids []float32
	var bins []int
	for i := range f.shape(t, variant+"out/bins_each_iteration")[0] {
		c, n := beit.KMeans(z, initial, i+1)
		centroids, bins = append(centroids, c.Float32s()...), append(bins, round(n.Float32s())...)
	}
	k, d := len(initial), z.Dim(1)
	f.equalInts(t, variant+"out/bins_each_iteration", bins)
	f.equalInts(t, variant+"out/bins", bins[len(bins)-k:])
	f.equal(t, variant+"out/centroids_after_each_iteration", centroids)
	f.equal(t, variant+"out/centroids", centroids[len(centroids)-k*d:])
	f.complete(t, variant)
}

// runPreProcess checks the scaling of pixels. Ours gets the range as an argument. The authors' code guesses it from the largest value.
func runPreProcess(t *testing.T, f *file, variant string, dev *tensor.Device) {
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	for _, name := range f.names(variant + "in/") {
		x := f.tensor(t, dev, variant+"in/"+name)
		top := float32(1)
		if slices.Max(x.Float32s()) > 1 {
			top = 255
		}
		if out := variant + "out/default_" + name; f.has(out) {
			f.equalTensor(t, out, beit.SymmetricRange(tape.Constant(x), top).Value())
		}
		if out := variant + "out/imagenet_norm_" + name; f.has(out) {
			f.equalTensor(t, out, beit.Normalize(x, beit.ImageNetMean, beit.ImageNetStd))
		}
	}
	f.complete(t, variant)
}
