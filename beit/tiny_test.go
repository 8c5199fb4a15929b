package beit_test

import (
	"github.com/gobeit/gobeit/beit"
)

// tinyViT is a backbone of 16 patches that runs in a millisecond.
func tinyViT() beit.ViTConfig {
	return beit.ViTConfig{
		ImageSize: 16, PatchSize: 4, Channels: 3, Width: 24, Depth: 3, Heads: 3, MLPRatio: 4, QKVBias: true, LayerScale: 0.1,
		RelPos: beit.RelPosShared, MeanPool: true,
	}
}

// tinyVQKD is a tokenizer for images of side 16.
func tinyVQKD(codes int) beit.VQKDConfig {
	e := tinyViT()
	e.RelPos, e.AbsPos, e.LayerScale = beit.RelPosNone, true, 0
	d := e
	d.ImageSize, d.PatchSize, d.Channels, d.Depth = 4, 1, 8, 1
	return beit.VQKDConfig{Encoder: e, Decoder: d, Codes: codes, CodeDim: 8, TargetDim: 30, Decay: 0.99, Beta: 1}
}
