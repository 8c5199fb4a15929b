package mae_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tiny is a network of the width of a published one's heads, so that a file tells their number.
var tiny = mae.NetworkConfig{
	ViT:     mae.Shape(beit.ViTConfig{ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 4}),
	Decoder: mae.DecoderConfig{Width: 32, Depth: 1, Heads: 1},
}

// published writes a network as the authors publish theirs, for PyTorch under the key model.
func published(t *testing.T, c mae.NetworkConfig, decoder bool) string {
	t.Helper()
	set := nn.NewSet()
	mae.NewNetwork(set.Scope(), c)
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	var list []state.Named
	for _, n := range nn.Tensors(set.Params()) {
		if decoder || !strings.HasPrefix(n.Name, "decoder_") && n.Name != "mask_token" {
			list = append(list, n)
		}
	}
	path := filepath.Join(t.TempDir(), "mae.pth")
	f, err := os.Create(path)
	if err == nil {
		err = state.WriteTorch(f, "model", list)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Files with and without a decoder are told from DINO's, and load with nothing missing and nothing left over.
func TestOpenPublished(t *testing.T) {
	for _, decoder := range []bool{true, false} {
		m := runtest.Open(t, published(t, tiny, decoder))
		want := tiny
		if !decoder {
			want.Decoder = mae.DecoderConfig{}
		}
		if d := cmp.Diff(&want, m.Network); d != "" || m.Kind != mae.Kind || m.Method != mae.Method || m.Run {
			t.Errorf("decoder %v: kind %s, network (-want +got):\n%s", decoder, m.Kind, d)
		}
		e, err := model.OpenEncoder(tensor.CPU(), m)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Set.Release()
		if _, ok := e.Encoder.(*mae.Network); ok != decoder || e.Width() != 64 {
			t.Errorf("decoder %v: %T", decoder, e.Encoder)
		}
	}
	// Learned positions are those of DINO.
	set := nn.NewSet()
	beit.NewDINO(set.Scope(), tiny.ViT)
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	if m := runtest.Open(t, traintest.WriteTensors(t, nil, nn.Tensors(set.Params()))); m.Kind != weights.DINO {
		t.Errorf("a DINO is taken for a %s", m.Kind)
	}
}

// publishedList are the tensors of the authors' files, spelled out by models_mae.py. Only the fixed tables have values.
func publishedList(patch, width, depth int, decoder bool) (list []state.Named) {
	f32 := func(name string, shape ...int) {
		list = append(list, state.Named{Name: name, DType: state.F32, Shape: shape})
	}
	affine := func(name string, out int, in ...int) {
		f32(name+".weight", append([]int{out}, in...)...)
		f32(name+".bias", out)
	}
	grid := 224 / patch
	table := func(name string, width int) {
		list = append(list, state.Named{Name: name, DType: state.F32, Shape: []int{1, grid*grid + 1, width}, Float32s: mae.Positions(width, grid)})
	}
	blocks := func(prefix string, n, d int) {
		for i := range n {
			p := fmt.Sprintf("%s.%d.", prefix, i)
			affine(p+"norm1", d)
			affine(p+"attn.qkv", 3*d, d)
			affine(p+"attn.proj", d, d)
			affine(p+"norm2", d)
			affine(p+"mlp.fc1", 4*d, d)
			affine(p+"mlp.fc2", d, 4*d)
		}
	}
	f32("cls_token", 1, 1, width)
	table("pos_embed", width)
	affine("patch_embed.proj", width, 3, patch, patch)
	blocks("blocks", depth, width)
	affine("norm", width)
	if decoder {
		f32("mask_token", 1, 1, 512)
		table("decoder_pos_embed", 512)
		affine("decoder_embed", 512, width)
		blocks("decoder_blocks", 8, 512)
		affine("decoder_norm", 512)
		affine("decoder_pred", patch*patch*3, 512)
	}
	return list
}

// The published sizes load with nothing missing and nothing left over, and have the published numbers of parameters.
func TestPublishedSizes(t *testing.T) {
	for _, c := range []struct {
		size                string
		patch, width, depth int
		parameters          int // trainable, with the decoder
	}{{"base", 16, 768, 12, 111_655_680}, {"large", 16, 1024, 24, 329_239_296}, {"huge", 14, 1280, 32, 656_613_964}} {
		for _, decoder := range []bool{true, false} {
			m := runtest.Open(t, traintest.Hollow(t, publishedList(c.patch, c.width, c.depth, decoder)))
			checkSize(t, m, c.size, decoder)
			if n := m.Parameters(); decoder && n != c.parameters {
				t.Errorf("%s: %d parameters, want %d", c.size, n, c.parameters)
			}
		}
	}
}

// checkSize wants an opened file of a published size to be whole.
func checkSize(t *testing.T, m *model.Model, size string, decoder bool) {
	t.Helper()
	want := mae.SectionOf(mae.Method.Preset(size)).Model
	if !decoder {
		want.Decoder = mae.DecoderConfig{}
	}
	if d := cmp.Diff(&want, m.Network); d != "" || m.Kind != mae.Kind {
		t.Errorf("%s: kind %s, network (-want +got):\n%s", size, m.Kind, d)
	}
	set := nn.NewSet()
	m.Declare(set.Scope())
	fit, err := m.Fit(set.Params())
	if err != nil {
		t.Fatal(err)
	}
	if r := fit.Report; len(r.Missing)+len(r.Unexpected)+len(r.Resized)+len(r.Dropped) > 0 {
		t.Errorf("%s: missing %v, unexpected %v, resized %v, left out %v", size, r.Missing, r.Unexpected, r.Resized, r.Dropped)
	}
}

// A fine-tuned file has the encoder's names, a norm of pooled tokens and a head. It opens as a classifier, whose logits are those of the encoder's
// residual stream: mean of the patches, norm, head. Biases of keys are left out, and change nothing.
func TestOpenFinetuned(t *testing.T) {
	const classes = 5
	set := nn.NewSet()
	tower := beit.NewDINO(set.Scope(), tiny.ViT)
	norm := nn.NewLayerNorm(set.Scope().Sub("fc_norm"), tiny.ViT.Width, 1e-6)
	head := nn.NewLinear(set.Scope().Sub("head"), tiny.ViT.Width, classes, nn.LibraryDefault)
	for _, p := range set.Params() {
		p.SetInit(nn.Uniform(0.3)) // also of biases
	}
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	var list []state.Named
	for _, n := range nn.Tensors(set.Params()) {
		if !strings.HasPrefix(n.Name, "norm.") {
			list = append(list, n)
		}
	}
	m := runtest.Open(t, traintest.WriteTensors(t, nil, list))
	if m.Kind != weights.Classifier || m.Method != finetune.Method || m.Run {
		t.Fatalf("is a %s", m.Kind)
	}
	if v := finetune.SectionOf(m.Config).Model; !v.MeanPool || !v.AbsPos || !v.QKVBias || v.RelPos != beit.RelPosNone || v.LayerScale != 0 || v.Classes != classes || v.Heads != 1 {
		t.Errorf("%+v", v)
	}
	c, err := finetune.Build(tensor.CPU(), m)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Set.Release()
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	images := tape.Own(tensor.FromSlice(tensor.CPU(), traintest.Pixels(2*3*32*32), 2, 3, 32, 32))
	blocks := tower.AllBlocks(ctx, images)
	_, mean := beit.Pool(blocks[len(blocks)-1])
	want := head.Forward(ctx, norm.Forward(ctx, mean), autograd.LinearOptions{}).Value().Float32s()
	for i, v := range c.Logits(ctx, images).Value().Float32s() {
		if math.Abs(float64(v-want[i])) > 2e-5 {
			t.Errorf("logit %d is %g, want %g", i, v, want[i])
		}
	}
}

// A run's model is written without its decoder, as the authors publish encoders, and gives the same features.
func TestExport(t *testing.T) {
	res := runtest.Train(t, mae.Method, runtest.Tiny(t, mae.Method, "mae.model.vit.width=64", "mae.model.vit.heads=1"), train.Env{})
	m := runtest.Open(t, res.Dir)
	path := filepath.Join(t.TempDir(), "encoder.pth")
	if _, dropped, err := m.Encoder().Convert(t.Context(), path, weights.Official, nil); err != nil || dropped != nil {
		t.Fatalf("dropped %v, error %v", dropped, err)
	}
	written, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if names := written.Names(); len(names) != 2*12+6 {
		t.Errorf("%d tensors are written: %v", len(names), names)
	}
	features := func(path string) []float32 {
		e := runtest.Encoder(t, tensor.CPU(), path)
		return allTokens(e.Encoder)
	}
	if d := cmp.Diff(features(res.Dir), features(path)); d != "" {
		t.Errorf("other features:\n%s", d)
	}
}

// TestPyTorch has PyTorch write the published sizes and read what is exported. BEIT_TORCH names a Python that has it.
func TestPyTorch(t *testing.T) {
	python := os.Getenv("BEIT_TORCH")
	if python == "" {
		t.Skip("BEIT_TORCH names no Python with PyTorch")
	}
	for _, size := range []string{"base", "large", "huge"} {
		for _, part := range []string{"encoder", "whole"} {
			t.Run(size+" "+part, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "mae.pth")
				var errOut bytes.Buffer
				write := exec.Command(python, filepath.Join("testdata", "write.py"), size, part, path)
				write.Stderr = &errOut
				if err := write.Run(); err != nil {
					t.Fatalf("%v: %s", err, errOut.String())
				}
				checkSize(t, runtest.Open(t, path), size, part == "whole")
			})
		}
	}
}

// A file as Hugging Face has it, ViTMAEForPreTraining, with query, key and value apart, is the same network.
func TestOpenHuggingFace(t *testing.T) {
	official := published(t, tiny, true)
	want, err := state.Open(official)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	names := strings.NewReplacer("decoder_blocks.", "decoder.decoder_layers.", "blocks.", "vit.encoder.layer.", "cls_token", "vit.embeddings.cls_token",
		"decoder_pos_embed", "decoder.decoder_pos_embed", "pos_embed", "vit.embeddings.position_embeddings", "mask_token", "decoder.mask_token",
		"patch_embed.proj.", "vit.embeddings.patch_embeddings.projection.", "decoder_embed.", "decoder.decoder_embed.", "decoder_norm.", "decoder.decoder_norm.",
		"decoder_pred.", "decoder.decoder_pred.", "norm1.", "layernorm_before.", "norm2.", "layernorm_after.", "attn.proj.", "attention.output.dense.",
		"mlp.fc1.", "intermediate.dense.", "mlp.fc2.", "output.dense.")
	var list []state.Named
	add := func(name string, shape []int, values []float32) {
		list = append(list, state.Named{Name: name, DType: state.F32, Shape: shape, Float32s: values})
	}
	for _, name := range want.Names() {
		e, _ := want.Entry(name)
		values, err := want.Float32s(name)
		if err != nil {
			t.Fatal(err)
		}
		block, kind, joint := strings.Cut(name, "attn.qkv.")
		switch {
		case joint:
			n := len(values) / 3
			shape := append([]int{e.Shape[0] / 3}, e.Shape[1:]...)
			for i, part := range []string{"query.", "key.", "value."} {
				add(names.Replace(block)+"attention.attention."+part+kind, shape, values[i*n:(i+1)*n])
			}
		case strings.HasPrefix(name, "norm."):
			add("vit.layernorm."+strings.TrimPrefix(name, "norm."), e.Shape, values)
		default:
			add(names.Replace(name), e.Shape, values)
		}
	}
	path := traintest.WriteTensors(t, map[string]string{"format": "pt"}, list)
	m := runtest.Open(t, path)
	if d := cmp.Diff(&tiny, m.Network); d != "" || m.Kind != mae.Kind {
		t.Fatalf("kind %s, network (-want +got):\n%s", m.Kind, d)
	}
	values := func(path string) map[string][]float32 {
		_, set, err := runtest.Open(t, path).Build(tensor.CPU())
		if err != nil {
			t.Fatal(err)
		}
		defer set.Release()
		all := map[string][]float32{}
		for _, p := range set.Params() {
			all[p.Name] = p.Value.Float32s()
		}
		return all
	}
	if d := cmp.Diff(values(official), values(path)); d != "" {
		t.Errorf("other values:\n%s", d)
	}
}
