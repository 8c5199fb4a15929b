package weights_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Tables of relative positions are new where a model has none at all, and not where it lacks one of them: that file is damaged.
func TestNewTables(t *testing.T) {
	c := beit.ViTConfig{
		ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 2, QKVBias: true, AbsPos: true, RelPos: beit.RelPosBlock,
	}
	set := nn.NewSet()
	beit.NewViT(set.Scope(), c)
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	const table = "relative_position_bias_table"
	for left, want := range map[string]string{"": "", "blocks.1.": "blocks.0.attn." + table} {
		var kept []*nn.Param
		for _, p := range set.Params() {
			if !strings.HasSuffix(p.Name, table) || left != "" && strings.HasPrefix(p.Name, left) {
				kept = append(kept, p)
			}
		}
		m, err := weights.Open(traintest.WriteTensors(t, nil, nn.Tensors(kept)))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		fit, err := m.Fit(set.Params(), weights.ToClassifier)
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("with %q left: error %v, want %q", left, err, want)
		case want == "" && err != nil:
			t.Error(err)
		case want == "" && !slices.Equal(fit.Report.Missing, []string{"blocks.0.attn." + table, "blocks.1.attn." + table}):
			t.Errorf("missing %q", fit.Report.Missing)
		}
		if _, err := m.Fit(set.Params(), nil); err == nil {
			t.Error("a network of the same kind may lack its tables")
		}
	}
}
