package train

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// published writes a network as the authors' scripts would, with a buffer that belongs to a table of relative positions and an optimizer's
// tensor beside the model's.
func published(t *testing.T, declare func(nn.Scope)) (path string, set *nn.Set) {
	t.Helper()
	set = nn.NewSet()
	declare(set.Scope())
	set.Build(tensor.CPU(), 5, nn.Inference)
	t.Cleanup(set.Release)
	list := []state.Named{{Name: "relative_position_index", DType: state.I64, Shape: []int{1}, Raw: make([]byte, 8)}}
	for _, p := range set.Params() {
		list = append(list, state.Named{Name: p.Name, DType: state.F32, Shape: p.Shape, Float32s: p.Value.Float32s()})
	}
	path = filepath.Join(t.TempDir(), "published.pth")
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, "model", list) }); err != nil {
		t.Fatal(err)
	}
	return path, set
}

func sameSets(t *testing.T, got, want *nn.Set) {
	t.Helper()
	for _, p := range want.Params() {
		g := got.Lookup(p.Name)
		if g == nil || !p.Shape.Equal(g.Shape) || p.Value.Float32s()[0] != g.Value.Float32s()[0] {
			t.Errorf("%s was not loaded", p.Name)
		}
	}
}

// Published tokenizers and backbones serve where those of runs do: a backbone is pretrained on a published tokenizer's codes, starting from
// published weights, and opened without a run.
func TestPublishedModelsInRuns(t *testing.T) {
	cfg := tiny(t, Pretrain)
	vit := cfg.Pretrain.Model.ViT
	encoder := beit.ViTConfig{
		ImageSize: vit.ImageSize, PatchSize: vit.PatchSize, Channels: 3, Width: 64, Depth: 1, Heads: 1, MLPRatio: 1, QKVBias: true, AbsPos: true,
		RelPos: beit.RelPosNone, MeanPool: true,
	}
	decoder := encoder
	decoder.ImageSize, decoder.PatchSize, decoder.Channels = encoder.Grid(), 1, 4
	tok, tokSet := published(t, func(s nn.Scope) {
		beit.NewVQKD(s, beit.VQKDConfig{
			Encoder: encoder, Decoder: decoder, Codes: cfg.Pretrain.Model.Vocab, CodeDim: 4, TargetDim: 6, Decay: 0.99, Beta: 1,
		})
	})
	back, backSet := published(t, func(s nn.Scope) { beit.NewMIM(s, cfg.Pretrain.Model) })

	opened, err := LoadTokenizer(tensor.CPU(), tok)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Set.Release()
	sameSets(t, opened.Set, tokSet)
	network, err := LoadNetwork(tensor.CPU(), back)
	if err != nil {
		t.Fatal(err)
	}
	defer network.Set.Release()
	sameSets(t, network.Set, backSet)

	cfg.Pretrain.Tokenizer, cfg.InitFrom = tok, back
	res := trained(t, cfg, Env{})
	if _, err := LoadBackbone(tensor.CPU(), res.Model); err != nil {
		t.Error(err)
	}
}
