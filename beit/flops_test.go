package beit

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// What forward passes are said to take is what a device counts.
func TestFLOPs(t *testing.T) {
	dev := tensor.NewPlanner()
	counted := func(declare func(s nn.Scope) func(c nn.Context)) float64 {
		set := nn.NewSet()
		forward := declare(set.Scope())
		set.Build(dev, 1, nn.Training)
		defer set.Release()
		before := dev.Work()
		forward(nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1})
		return dev.Work() - before
	}
	images := func(c nn.Context, side int) *autograd.Var { return c.Tape.Own(tensor.New(dev, 1, 3, side, side)) }
	vit := ViTPreset("tiny32")
	vit.PatchSize, vit.Classes = 4, 10
	mim := MIMConfig{ViT: vit, Vocab: 300, Aggregation: AggregationConfig{Layer: 3, Depth: 2}}
	encoder := ViTPreset("tiny32")
	decoder := encoder
	decoder.ImageSize, decoder.PatchSize, decoder.Channels, decoder.Depth = encoder.Grid(), 1, 16, 2
	vqkd := VQKDConfig{Encoder: encoder, Decoder: decoder, Codes: 64, CodeDim: 16, TargetDim: 84, Decay: 0.9, Beta: 1}
	distill := DistillConfig{ViT: DINOShape(vit), Hidden: 64, Bottleneck: 16, Outputs: 100, StudentTemp: 0.1, TeacherTemp: 0.1, StartTemp: 0.1}
	dalle := DALLEConfig{Hidden: 8, Blocks: 2, Codes: 50}
	mask := make([]bool, mim.ViT.Tokens())
	for i := range 20 {
		mask[i] = true
	}
	for name, c := range map[string]struct{ says, counts float64 }{
		"classifier": {vit.FLOPs(), counted(func(s nn.Scope) func(nn.Context) {
			m := NewViT(s, vit)
			return func(c nn.Context) { m.Logits(c, images(c, 32)) }
		})},
		"MIM": {mim.FLOPs(20, 20), counted(func(s nn.Scope) func(nn.Context) {
			m := NewMIM(s, mim)
			return func(c nn.Context) { m.Forward(c, images(c, 32), mask, GivenCodes(make([]int32, len(mask)))) }
		})},
		"MIM with visible patches": {mim.FLOPs(64, 20), counted(func(s nn.Scope) func(nn.Context) {
			m := NewMIM(s, mim)
			return func(c nn.Context) {
				m.ForwardInput(c, images(c, 32), MIMInput{Masked: mask, Visible: 1}, GivenCodes(make([]int32, len(mask))))
			}
		})},
		"tokenizer": {vqkd.EncodeFLOPs() + vqkd.DecodeFLOPs(), counted(func(s nn.Scope) func(nn.Context) {
			m := NewVQKD(s, vqkd)
			return func(c nn.Context) { m.Forward(c, images(c, 32), tensor.New(dev, 1, 16, 84)) }
		})},
		"codes of DALL-E's encoder": {dalle.FLOPs(32), counted(func(s nn.Scope) func(nn.Context) {
			m := NewDALLE(s, dalle)
			return func(c nn.Context) { m.Codes(c, images(c, 32)).Release() }
		})},
		"distillation": {distill.FLOPs(32), counted(func(s nn.Scope) func(nn.Context) {
			m, head := NewDINO(s, distill.ViT), newDistillHead(s.Sub("head"), distill)
			return func(c nn.Context) {
				class := m.ClassToken(c, images(c, 32))
				head.Forward(c, class, false)
			}
		})},
	} {
		if math.Abs(c.says-c.counts) > 1e-9*c.counts || c.counts == 0 {
			t.Errorf("%s: %g operations, the device counts %g", name, c.says, c.counts)
		}
	}
}
