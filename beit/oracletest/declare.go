package oracletest

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
)

// declare makes the model that parameters of the given names and shapes belong to, and returns its depth too. Patch-aggregation blocks
// get the library's default, which is what the authors' code leaves them at.
func declare(t *testing.T, shapes map[string][]int) (*nn.Set, int) {
	t.Helper()
	set := nn.NewSet()
	switch {
	case shapes["encode_task_layer.0.weight"] != nil:
		code, target := shapes["encode_task_layer.2.weight"], shapes["decode_task_layer.2.weight"]
		c := beit.VQKDConfig{
			Encoder: inferViT(t, shapes, "encoder."), Decoder: inferViT(t, shapes, "decoder."),
			Codes: 1, CodeDim: code[0], TargetDim: target[0], Decay: 0.99, Beta: 1,
		}
		if codebook := shapes["quantize.embedding.weight"]; codebook != nil {
			c.Codes = codebook[0]
		}
		beit.NewVQKD(set.Scope(), c)
		return set, c.Encoder.Depth
	case shapes["lm_head.weight"] != nil:
		c := beit.MIMConfig{
			ViT: inferViT(t, shapes, ""), Vocab: shapes["lm_head.weight"][0], HeadLayers: count(shapes, "cls_pt_layers."),
			SharedHead: shapes["cls_pt_lm_head.weight"] == nil, LibraryInit: true, EarlyLayer: earlyLayer,
		}
		beit.NewMIM(set.Scope(), c)
		return set, c.ViT.Depth
	default:
		c := inferViT(t, shapes, "")
		beit.NewViT(set.Scope(), c)
		return set, c.Depth
	}
}

// earlyLayer is the block whose tokens the aggregation blocks of the initialised model see; the file does not say it, but its first
// aggregation block is rescaled as block 3.
const earlyLayer = 2

// inferViT reads a config off the shapes of parameters that begin with prefix.
func inferViT(t *testing.T, shapes map[string][]int, prefix string) beit.ViTConfig {
	t.Helper()
	own := map[string][]int{}
	for name, shape := range shapes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			own[rest] = shape
		}
	}
	patch, pos := own["patch_embed.proj.weight"], own["pos_embed"]
	grid := 1
	for grid*grid < pos[1]-1 {
		grid++
	}
	c := beit.ViTConfig{
		ImageSize: grid * patch[3], PatchSize: patch[3], Channels: patch[1], Width: patch[0], Depth: count(own, "blocks."), Heads: 2,
		MLPRatio: float64(own["blocks.0.mlp.fc1.weight"][0]) / float64(patch[0]), QKVBias: own["blocks.0.attn.q_bias"] != nil,
		AbsPos: true, RelPos: beit.RelPosNone, MeanPool: own["fc_norm.weight"] != nil, InitScale: 0.001,
	}
	if own["blocks.0.gamma_1"] != nil {
		c.LayerScale = 0.1
	}
	for name, place := range map[string]beit.RelPos{
		"blocks.0.attn.relative_position_bias_table": beit.RelPosBlock, "rel_pos_bias.relative_position_bias_table": beit.RelPosShared,
	} {
		if table := own[name]; table != nil {
			c.RelPos, c.Heads = place, table[1]
		}
	}
	if head := own["head.weight"]; head != nil {
		c.Classes = head[0]
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// count is the number of blocks in a list.
func count(shapes map[string][]int, list string) int {
	seen := map[string]bool{}
	for name := range shapes {
		if rest, ok := strings.CutPrefix(name, list); ok {
			number, _, _ := strings.Cut(rest, ".")
			seen[number] = true
		}
	}
	return len(seen)
}
