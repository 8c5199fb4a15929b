package oracletest_test

import (
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// splitMaskConfig is the configuration of the file.
type splitMaskConfig struct {
	maeVariant
	Vocab       int     `json:"vocab"`
	Shown       int     `json:"shown"` // patches of the first half
	Weight      float64 `json:"contrast_weight"`
	Temperature float64 `json:"temperature"`
}

// checkSplitMask checks tokens, predictions, both losses and all gradients of a forward and backward pass.
func checkSplitMask(t *testing.T, f *oracletest.File, dev *tensor.Device) {
	var c splitMaskConfig
	f.Decode(t, &c)
	body := c.network()
	set := nn.NewSet()
	m := splitmask.NewNetwork(set.Scope(), splitmask.NetworkConfig{ViT: body.ViT, Decoder: body.Decoder, Vocab: c.Vocab})
	set.Build(dev, 0, nn.Training)
	defer set.Release()
	f.Load(t, set, "tiny/param/")
	set.ZeroGrad()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	images := tape.Leaf(f.Tensor(t, dev, "tiny/in/images"))
	var noise []float64
	for _, v := range f.Values(t, "tiny/in/noise") {
		noise = append(noise, float64(v))
	}
	var codes []int32
	for _, v := range f.Ints(t, "tiny/in/codes") {
		codes = append(codes, int32(v))
	}
	k := mae.ByNoise(noise, m.Config.ViT.Tokens(), c.Shown)
	contrast := splitmask.ContrastConfig{Weight: c.Weight, Temperature: c.Temperature}
	r := m.Forward(nn.Context{Tape: tape}, images, k, beit.GivenCodes(codes), contrast)
	tape.Backward(r.Loss)
	for i, h := range r.Halves {
		half := string(rune('0' + i))
		for name, v := range map[string]*autograd.Var{"latent": h.Latent, "pooled": h.Pooled, "logits": h.Logits} {
			f.EqualTensor(t, "tiny/out/"+name+half, v.Value())
			f.EqualTensor(t, "tiny/grad_act/"+name+half, v.Grad())
		}
		f.EqualTensor(t, "tiny/out/loss"+half, h.Loss.Value())
	}
	f.EqualTensor(t, "tiny/out/similar", r.Pairs.Logits.Value())
	f.EqualTensor(t, "tiny/out/contrast", r.Pairs.Loss.Value())
	f.EqualTensor(t, "tiny/out/loss", r.Loss.Value())
	f.EqualTensor(t, "tiny/grad_in/images", images.Grad())
	f.Gradients(t, set, "tiny/grad/")
	f.Complete(t, "tiny/")
}
