package beit

import "slices"

// publishedDropout is the part of channels that the published segmenters drop in training.
const publishedDropout = 0.1

// InferSegmenter returns the configuration of a segmenter with backbone v whose parameters have these shapes. Its Head is empty where the head
// is not one of this package. Shapes do not tell the taps: they are the official ones.
func InferSegmenter(v ViTConfig, shapes map[string][]int) SegmenterConfig {
	v.Classes, v.MeanPool = 0, false
	c := SegmenterConfig{ViT: v, Head: HeadUperNet, Taps: TapsOfficial, Dropout: publishedDropout}
	channels := func(name string, axes int) int {
		if s := shapes[name]; len(s) == axes {
			return s[0]
		}
		return 0
	}
	c.Classes = channels("decode_head.conv_seg.weight", 4)
	c.HeadChannels = channels("decode_head.fpn_bottleneck.conv.weight", 4)
	c.AuxChannels = channels("auxiliary_head.convs.0.conv.weight", 4)
	if c.HeadChannels == 0 && slices.Equal(shapes["decode_head.bn.weight"], []int{v.Width}) {
		c.Head = HeadLinear
	}
	if c.Classes == 0 || c.Check() != nil {
		return SegmenterConfig{}
	}
	return c
}
