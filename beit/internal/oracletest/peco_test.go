package oracletest_test

import (
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// pecoViT is the configuration of a part of the file.
type pecoViT struct {
	ImageSize int     `json:"img_size"`
	PatchSize int     `json:"patch_size"`
	Channels  int     `json:"in_chans"`
	Width     int     `json:"embed_dim"`
	Depth     int     `json:"depth"`
	Heads     int     `json:"num_heads"`
	MLPRatio  float64 `json:"mlp_ratio"`
}

func (v pecoViT) vit() beit.ViTConfig {
	return beit.ViTConfig{
		ImageSize: v.ImageSize, PatchSize: v.PatchSize, Channels: v.Channels, Width: v.Width, Depth: v.Depth, Heads: v.Heads, MLPRatio: v.MLPRatio,
		QKVBias: true, AbsPos: true, RelPos: beit.RelPosNone, MeanPool: true,
	}
}

// checkPeCo checks codes, rebuilt pixels, each loss and all gradients of a forward and backward pass of a tokenizer of pixels.
func checkPeCo(t *testing.T, f *oracletest.File, dev *tensor.Device) {
	var c struct {
		Codes                     int     `json:"codes"`
		CodeDim                   int     `json:"code_dim"`
		Weight                    float64 `json:"weight"`
		Encoder, Decoder, Network pecoViT
	}
	f.Decode(t, &c)
	teacher := beit.PixelTeacher{Patch: c.Encoder.PatchSize}
	set, frozen := nn.NewSet(), nn.NewSet()
	m := beit.NewVQKD(set.Scope(), beit.VQKDConfig{
		Encoder: c.Encoder.vit(), Decoder: c.Decoder.vit(), Codes: c.Codes, CodeDim: c.CodeDim, TargetDim: teacher.Dim(), Decay: 0.99, Beta: 1,
	})
	net := beit.NewDINO(frozen.Scope(), beit.DINOShape(c.Network.vit()))
	set.Build(dev, 0, nn.Training)
	defer set.Release()
	frozen.Build(dev, 0, nn.Inference)
	defer frozen.Release()
	f.Load(t, set, "tiny/param/", "tiny/buffer/")
	f.Load(t, frozen, "tiny/net/")
	set.ZeroGrad()

	tape := autograd.NewTape(dev)
	defer tape.Reset()
	ctx := nn.Context{Tape: tape, Train: true}
	images := tape.Leaf(f.Tensor(t, dev, "tiny/in/images"))
	loss := beit.PixelLoss{
		PixelTeacher: teacher, Perceptual: beit.NewPerceptual(net, c.Network.Depth, beit.ImageNetMean, beit.ImageNetStd), Weight: c.Weight,
	}
	var parts beit.PixelLosses
	r := m.ForwardBy(ctx, images, func(rebuilt *autograd.Var) *autograd.Var {
		parts = loss.Of(ctx, rebuilt.Keep(), images.Value())
		return parts.Loss
	})
	r.Features.Keep()
	tape.Backward(r.Loss)
	var codes []int
	for _, code := range r.Codes.Ints() {
		codes = append(codes, int(code))
	}
	f.EqualInts(t, "tiny/out/codes", codes)
	for name, v := range map[string]*autograd.Var{
		"features": r.Features, "rebuilt": r.Reconstruction, "pixels": parts.Pixels, "perceptual": parts.Perceptual, "commitment": r.Commitment, "loss": r.Loss,
	} {
		f.EqualTensor(t, "tiny/out/"+name, v.Value())
	}
	f.EqualTensor(t, "tiny/grad_act/rebuilt", r.Reconstruction.Grad())
	f.EqualTensor(t, "tiny/grad_in/images", images.Grad())
	f.Gradients(t, set, "tiny/grad/")
	f.Complete(t, "tiny/")
}
