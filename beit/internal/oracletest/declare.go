package oracletest

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
)

// declare declares the model whose parameters have the given names and shapes, and returns its depth too. Aggregation blocks get
// PyTorch's default initial values, as in the authors' code.
func declare(t *testing.T, shapes map[string][]int, given settings) (*nn.Set, int) {
	t.Helper()
	set := nn.NewSet()
	switch {
	case shapes["encode_task_layer.0.weight"] != nil:
		code, target := shapes["encode_task_layer.2.weight"], shapes["decode_task_layer.2.weight"]
		c := beit.VQKDConfig{
			Encoder: inferViT(t, shapes, "encoder.", given), Decoder: inferViT(t, shapes, "decoder.", given),
			Codes: 1, CodeDim: code[0], TargetDim: target[0], Decay: 0.99, Beta: 1,
		}
		if codebook := shapes["quantize.embedding.weight"]; codebook != nil {
			c.Codes = codebook[0]
		}
		beit.NewVQKD(set.Scope(), c)
		return set, c.Encoder.Depth
	case shapes["lm_head.weight"] != nil:
		c := beit.MIMConfig{
			ViT: inferViT(t, shapes, "", given), Vocab: shapes["lm_head.weight"][0], LibraryInit: true,
			Aggregation: beit.AggregationConfig{
				Layer: given.earlyLayer, Depth: count(shapes, "cls_pt_layers."), SharedHead: shapes["cls_pt_lm_head.weight"] == nil,
			},
		}
		beit.NewMIM(set.Scope(), c)
		return set, c.ViT.Depth
	default:
		c := inferViT(t, shapes, "", given)
		beit.NewViT(set.Scope(), c)
		return set, c.Depth
	}
}

// settings are what shapes do not tell. They matter for initial values only.
type settings struct {
	earlyLayer int     // the block whose patch tokens the aggregation blocks get
	layerScale float64 // initial value of LayerScale
}

// inferViT returns the configuration that shapes of parameters with a prefix imply.
func inferViT(t *testing.T, shapes map[string][]int, prefix string, given settings) beit.ViTConfig {
	t.Helper()
	own := map[string][]int{}
	for name, shape := range shapes {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			own[rest] = shape
		}
	}
	patch, fc1 := own["patch_embed.proj.weight"], own["blocks.0.mlp.fc1.weight"]
	if len(patch) != 4 || len(fc1) != 2 {
		t.Fatalf("no patch embedding and blocks of a vision transformer under %q", prefix)
	}
	c := beit.ViTConfig{
		PatchSize: patch[3], Channels: patch[1], Width: patch[0], Depth: count(own, "blocks."), Heads: 1,
		MLPRatio: float64(fc1[0]) / float64(patch[0]), QKVBias: own["blocks.0.attn.q_bias"] != nil,
		AbsPos: own["pos_embed"] != nil, RelPos: beit.RelPosNone, MeanPool: own["fc_norm.weight"] != nil, InitScale: 0.001,
	}
	if own["blocks.0.gamma_1"] != nil {
		c.LayerScale = given.layerScale
	}
	grid := 1
	if c.AbsPos {
		for grid*grid < own["pos_embed"][1]-1 { // its rows: the class token and every patch
			grid++
		}
	}
	for name, place := range map[string]beit.RelPos{
		"blocks.0.attn.relative_position_bias_table": beit.RelPosBlock, "rel_pos_bias.relative_position_bias_table": beit.RelPosShared,
	} {
		if table := own[name]; table != nil {
			c.RelPos, c.Heads = place, table[1]
			for (2*grid-1)*(2*grid-1) < table[0]-3 { // its rows: every offset between patches, and three for the class token
				grid++
			}
		}
	}
	if head := own["head.weight"]; head != nil {
		c.Classes = head[0]
	}
	c.ImageSize = grid * c.PatchSize
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// count returns the number of elements of a list of modules.
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
