package weights_test

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

var cpu = tensor.CPU()

// family is a published file. parameters is its network's published count, without biases of keys where a classifier has them.
type family struct {
	name       string
	tensors    func() list
	container  string // the key in a file of PyTorch
	kind       weights.Kind
	naming     weights.Naming
	parameters int
}

// Without relative positions the authors' names are also timm's.
var families = []family{
	{"beitv2_base_patch16_224_pt1k", func() list { return pretrained(base) }, "model", weights.MIM, weights.Official, 106_143_056},
	{"beitv2_large_patch16_224_pt1k", func() list { return pretrained(large) }, "module", weights.MIM, weights.Official, 336_728_512},
	{"beitv2_base_patch16_224_pt1k_ft1k", func() list { return classifier(base, 1000, true) }, "model", weights.Classifier, weights.Official, 86_530_984},
	{"beitv2_base_patch16_224_pt1k_ft21k", func() list { return classifier(base, 21841, true) }, "model", weights.Classifier, weights.Official, 102_557_713},
	{"beitv2_large_patch16_224_pt1k_ft21kto1k", func() list { return classifier(large, 1000, true) }, "module", weights.Classifier, weights.Official, 304_430_568},
	{"beitv2_large_patch16_224_pt1k_ft21k", func() list { return classifier(large, 21841, true) }, "model", weights.Classifier, weights.Official, 325_792_593},
	{"timm/beitv2_base_patch16_224.in1k_ft_in22k_in1k", func() list { return classifier(base, 1000, false) }, "", weights.Classifier, weights.TIMM, 86_530_984},
	{"timm/beitv2_base_patch16_224.in1k_ft_in22k", func() list { return classifier(base, 21841, false) }, "", weights.Classifier, weights.TIMM, 102_557_713},
	{"timm/beitv2_large_patch16_224.in1k_ft_in1k", func() list { return classifier(large, 1000, false) }, "", weights.Classifier, weights.TIMM, 304_430_568},
	{"timm/beitv2_large_patch16_224.in1k_ft_in22k", func() list { return classifier(large, 21841, false) }, "", weights.Classifier, weights.TIMM, 325_792_593},
	{"hf base", func() list { return beitHF(base, 1000) }, "", weights.Classifier, weights.HF, 86_530_984},
	{"hf large", func() list { return beitHF(large, 21841) }, "", weights.Classifier, weights.HF, 325_792_593},
	{"hf BeitModel", func() list { return beitModelHF(base) }, "", weights.Classifier, weights.HF, 85_761_984},
	{"vqkd_encoder_base_decoder_3x768x12_clip", func() list { return tokenizer(3, 512) }, "model", weights.Tokenizer, weights.Official, 108_829_216},
	{"vqkd_encoder_base_decoder_1x768x12_clip", func() list { return tokenizer(1, 512) }, "model", weights.Tokenizer, weights.Official, 94_655_008},
	{"vqkd_encoder_base_decoder_1x768x12_dino", func() list { return tokenizer(1, 768) }, "state_dict", weights.Tokenizer, weights.Official, 94_851_872},
	{"vqkd with its teacher", func() list { return selfTrained(tokenizer(3, 512)) }, "model", weights.Tokenizer, weights.Official, 108_829_216},
	{"beitv2_base_patch16_224_pt1k_ftade20k", func() list { return segmenter(size{768, 12, 12, 16, 32}) }, "state_dict", weights.Segmenter, weights.Official, 163_080_812},
	{"beitv2_large_patch16_224_pt1k_ftade20k", func() list { return segmenter(size{1024, 24, 16, 16, 32}) }, "state_dict", weights.Segmenter, weights.Official, 440_398_636},
	{"beit_base_patch16_224_pt22k", func() list { return pretrainedV1(base) }, "model", weights.MIM, weights.Official, 91_965_776},
	{"beit_large_patch16_224_pt22k", func() list { return pretrainedV1(large) }, "model", weights.MIM, weights.Official, 311_534_016},
	{"beit_base_patch16_224_pt1k_800ep", func() list { return withPositions(base) }, "model", weights.MIM, weights.TIMM, 92_089_856},
	{"beit_base_patch16_224_pt22k_ft22k", func() list { return classifier(base, 21841, true) }, "model", weights.Classifier, weights.Official, 102_557_713},
	{"beit_base_patch16_384_pt22k_ft22kto1k", func() list { return classifier(size{768, 12, 12, 16, 24}, 1000, true) }, "model", weights.Classifier, weights.Official, 86_744_104},
	{"beit_base_patch16_640_pt22k_ft22ktoade20k", func() list { return segmenter(size{768, 12, 12, 16, 40}) }, "state_dict", weights.Segmenter, weights.Official, 163_407_980},
	{"beit_large_patch16_640_pt22k_ft22ktoade20k", func() list { return segmenter(size{1024, 24, 16, 16, 40}) }, "state_dict", weights.Segmenter, weights.Official, 441_271_084},
	{"DALL-E's encoder", dalle, "", weights.DALLE, weights.Official, 53_786_240},
	{"ViT-B-16", clip, "", weights.CLIP, weights.Official, 86_192_640},
	{"openai/clip-vit-base-patch16", clipHF, "", weights.CLIP, weights.HF, 86_192_640},
	{"mae_finetuned_vit_base", func() list { return maeFinetuned(base) }, "model", weights.Classifier, weights.TIMM, 86_567_656 - 12*768},
	{"mae_finetuned_vit_large", func() list { return maeFinetuned(large) }, "model", weights.Classifier, weights.TIMM, 304_326_632 - 24*1024},
	{"mae_finetuned_vit_huge", func() list { return maeFinetuned(huge) }, "model", weights.Classifier, weights.TIMM, 632_045_800 - 32*1280},
	{"dino_vitbase16_pretrain", dino, "", weights.DINO, weights.Official, 85_798_656},
	{"facebook/dino-vitb16", dinoHF, "", weights.DINO, weights.HF, 85_798_656},
}

// Every published file, at full size, loads without missing or unexpected tensors.
func TestPublishedFamilies(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) { f.check(t, traintest.Hollow(t, f.tensors()), nil) })
	}
}

// check opens a file of the family and compares it with its network; loaded, if not nil, gets the built network.
func (f family) check(t *testing.T, path string, loaded func(set *nn.Set)) {
	m, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Kind != f.kind || m.Naming != f.naming {
		t.Errorf("is a %s with %s names, want a %s with %s names", m.Kind, m.Naming, f.kind, f.naming)
	}
	if n := m.Parameters(); n != f.parameters {
		t.Errorf("%d parameters, want %d", n, f.parameters)
	}
	set := nn.NewSet()
	m.Declare(set.Scope())
	fit, err := m.Fit(set.Params(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := fit.Report; len(r.Missing)+len(r.Unexpected)+len(r.Mismatched)+len(r.Resized) > 0 {
		t.Error(r)
	}
	if f.kind == weights.Segmenter {
		checkBackbone(t, m)
	}
	if loaded == nil {
		return
	}
	set.Build(cpu, 0, nn.Inference)
	defer set.Release()
	if err := fit.Load(); err != nil {
		t.Fatal(err)
	}
	loaded(set)
}

// checkBackbone compares the backbone of a segmenter with a classifier's network, whose norm it does not have.
func checkBackbone(t *testing.T, m *weights.Model) {
	t.Helper()
	b, err := m.Backbone()
	if err != nil {
		t.Fatal(err)
	}
	set := nn.NewSet()
	beit.NewViT(set.Scope(), b.ViT)
	fit, err := b.Fit(set.Params(), weights.ToClassifier)
	if err != nil {
		t.Fatal(err)
	}
	if r := fit.Report; strings.Join(r.Missing, " ") != "norm.weight norm.bias" || len(r.Unexpected)+len(r.Mismatched)+len(r.Resized) > 0 {
		t.Error(r)
	}
}

// The same with files in PyTorch's format, with values, which takes minutes and gigabytes of disk.
func TestPublishedFamiliesWithWeights(t *testing.T) {
	if os.Getenv("BEIT_FULL") == "" {
		t.Skip("set BEIT_FULL=1 to write and load files of up to 1.8 GB")
	}
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			l := f.tensors()
			fillRandomly(l, 1)
			path := filepath.Join(t.TempDir(), "model.pth")
			err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, f.container, l) })
			if err != nil {
				t.Fatal(err)
			}
			f.check(t, path, func(set *nn.Set) {
				for _, p := range set.Flat() {
					if v := p.Value.Float32s(); v[0] == 0 && v[len(v)-1] == 0 && !strings.HasPrefix(p.Name, "norm.") {
						t.Errorf("%s was not loaded", p.Name)
					}
				}
			})
		})
	}
}

// fillRandomly gives the tensors values: about ±0.05, and small integers.
func fillRandomly(l list, seed uint64) {
	for i := range l {
		t := &l[i]
		n := state.Entry{Shape: t.Shape}.Len()
		t.Read = func() ([]byte, error) {
			r := tensor.NewRand(seed, 0x7e57, tensor.HashString(t.Name))
			b := make([]byte, 0, n*t.DType.Size())
			for range n {
				v := float32(r.Uniform(-0.05, 0.05))
				switch t.DType {
				case state.F32:
					b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
				case state.F16, state.BF16:
					b = binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(v)>>16)&0xbfff|0x2000) // finite in either
				default:
					b = binary.LittleEndian.AppendUint64(b, uint64(r.Uniform(0, 100)))
				}
			}
			return b, nil
		}
	}
}
