package model_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// alive gives every parameter of a set values with which something happens.
func alive(set *nn.Set) {
	for _, p := range set.Params() {
		r := tensor.NewRand(3, 0xa11e, tensor.HashString(p.Name))
		v := make([]float32, p.Shape.Size())
		for i := range v {
			v[i] = float32(r.Uniform(-0.2, 0.2))
			if len(p.Shape) == 1 && strings.HasSuffix(p.Name, "weight") || strings.Contains(p.Name, "gamma") {
				v[i]++
			}
		}
		p.Value.Upload(v)
	}
}

func fillParam(set *nn.Set, value float32, parts ...string) {
	for _, p := range set.Params() {
		for _, part := range parts {
			if strings.Contains(p.Name, part) {
				v := make([]float32, p.Shape.Size())
				for i := range v {
					v[i] = value
				}
				p.Value.Upload(v)
			}
		}
	}
}

// Networks of each kind look alive, and with one part damaged wrong in the way that it was damaged.
func TestVerify(t *testing.T) {
	vit := beit.ViTConfig{
		ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 4, MLPRatio: 2, QKVBias: true, LayerScale: 0.1, RelPos: beit.RelPosBlock,
		MeanPool: true, Classes: 10,
	}
	shared, plain := vit, vit
	shared.RelPos, shared.Classes = beit.RelPosShared, 0
	plain.Classes = 0
	tower := plain
	tower.RelPos, tower.AbsPos, tower.LayerScale = beit.RelPosNone, true, 0
	decoder := tower
	decoder.PatchSize, decoder.ImageSize, decoder.Channels, decoder.Depth = 1, 4, 8, 1
	codes := beit.VQKDConfig{Encoder: tower, Decoder: decoder, Codes: 16, CodeDim: 8, TargetDim: 5, Decay: 0.99, Beta: 1}
	free := codes
	free.Euclidean = true
	kinds := map[string]func(nn.Scope) any{
		"classifier": func(s nn.Scope) any { return beit.NewViT(s, vit) },
		"backbone":   func(s nn.Scope) any { return beit.NewViT(s, plain) },
		"mim":        func(s nn.Scope) any { return beit.NewMIM(s, beit.MIMConfig{ViT: shared, Vocab: 12}) },
		"dino":       func(s nn.Scope) any { return beit.NewDINO(s, beit.DINOShape(tower)) },
		"clip": func(s nn.Scope) any {
			return beit.NewCLIP(s, beit.CLIPConfig{ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 4, Hidden: 128, OutDim: 16})
		},
		"tokenizer": func(s nn.Scope) any { return beit.NewVQKD(s, codes) },
		"euclidean": func(s nn.Scope) any { return beit.NewVQKD(s, free) },
	}
	for _, c := range []struct {
		kind, damage string
		value        float32
		parts        []string
		want         string // empty: alive
	}{
		{kind: "classifier"}, {kind: "backbone"}, {kind: "mim"}, {kind: "dino"}, {kind: "clip"}, {kind: "tokenizer"}, {kind: "euclidean"},
		{"classifier", "no head", 0, []string{"head."}, "at chance"},
		{"mim", "no head", 0, []string{"lm_head."}, "at chance"},
		{"classifier", "no scale", 0, []string{"gamma", "patch_embed"}, "dead"},
		{"dino", "no last norm", 0, []string{"norm."}, "dead"},
		{"clip", "no last norm", 0, []string{"ln_post."}, "dead"},
		{"classifier", "large", 1e6, []string{"blocks.1.gamma_2"}, "saturated"},
		{"backbone", "sharp attention", 60, []string{"blocks.1.norm1.weight"}, "attention"},
		{"backbone", "overflow", 1e38, []string{"blocks.0.mlp.fc2.weight"}, "not finite"},
		{"tokenizer", "one direction", 0, []string{"encode_task_layer.2.weight"}, "same code"},
		{"tokenizer", "short codes", 0.01, []string{"quantize.embedding.weight"}, "length"},
		{"tokenizer", "no codebook", 0, []string{"initted"}, "never filled"},
		{"euclidean", "no numbers", float32(math.NaN()), []string{"quantize.embedding.weight"}, "not finite: the codebook"},
	} {
		t.Run(c.kind+" "+c.damage, func(t *testing.T) {
			set := nn.NewSet()
			network := kinds[c.kind](set.Scope())
			set.Build(tensor.CPU(), 1, nn.Inference)
			defer set.Release()
			alive(set)
			if m, ok := network.(*beit.VQKD); ok {
				book := unitRows(m.Config.Codes, m.Config.CodeDim)
				for i := range book {
					if m.Config.Euclidean {
						book[i] /= 8
					}
				}
				m.Codebook.Value.Upload(book)
				fillParam(set, 1, "initted")
			}
			fillParam(set, c.value, c.parts...)
			m := weights.Model{Kind: map[string]weights.Kind{"clip": weights.CLIP, "tokenizer": weights.Tokenizer, "euclidean": weights.Tokenizer}[c.kind]}
			h, err := model.Verify(tensor.CPU(), network, method.Input{Size: 32, Norm: m.Norm()})
			if err != nil {
				t.Fatal(err)
			}
			found := strings.Join(h.Findings, "; ")
			if (c.want == "") != (found == "") || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q (%+v)", found, c.want, h)
			}
			if c.want == "" && (len(h.Blocks) != 2 || h.Output == "") {
				t.Errorf("%+v", h)
			}
		})
	}
}

// unitRows are rows of length 1.
func unitRows(rows, cols int) []float32 {
	v := make([]float32, rows*cols)
	for i := range rows {
		sign := float32(1)
		if i >= cols {
			sign = -1
		}
		v[i*cols+i%cols] = sign
	}
	return v
}
