package beit_test

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn/optim"
)

// The factors were worked out from the authors' definitions (microsoft/unilm, beit2), apart from this code.
func TestLayerDecay(t *testing.T) {
	for name, want := range map[string]float64{
		"patch_embed.proj.weight": 0.003697, "cls_token": 0.003697, "pos_embed": 0.003697,
		"blocks.0.norm1.weight": 0.005688, "blocks.11.mlp.fc2.bias": 0.65, "fc_norm.weight": 1, "head.weight": 1,
		"rel_pos_bias.relative_position_bias_table": 1,
	} {
		got := optim.LayerDecay(0.65, 12, beit.LayerID(name, 12))
		if math.Abs(got-want) > 5e-7 {
			t.Errorf("%s: factor %.6f, want %.6f", name, got, want)
		}
	}
}
