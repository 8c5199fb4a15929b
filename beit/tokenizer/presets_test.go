package tokenizer_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
)

func section(preset string) *tokenizer.Section {
	return tokenizer.SectionOf(tokenizer.Method.Preset(preset))
}

// TestPublishedPresets compares with beit2/TOKENIZER.md: 8 x 64 images, and 5e-5 for each 128 of them.
func TestPublishedPresets(t *testing.T) {
	for _, c := range []struct {
		name      string
		depth     int
		teacher   string
		targetDim int
	}{
		{"vqkd_encoder_base_decoder_1x768x12_clip", 1, "clip", 512},
		{"vqkd_encoder_base_decoder_3x768x12_clip", 3, "clip", 512},
		{"vqkd_encoder_base_decoder_1x768x12_dino", 1, "dino", 768},
	} {
		encoder := beit.ViTConfig{
			ImageSize: 224, PatchSize: 16, Channels: 3, Width: 768, Depth: 12, Heads: 12, MLPRatio: 4, QKVBias: true, AbsPos: true,
			RelPos: beit.RelPosNone, MeanPool: true, InitScale: 0.001,
		}
		decoder := encoder
		decoder.ImageSize, decoder.PatchSize, decoder.Channels, decoder.Depth = 14, 1, 32, c.depth
		got := tokenizer.Method.Preset(c.name)
		want := tokenizer.Section{
			Model: beit.VQKDConfig{
				Encoder: encoder, Decoder: decoder, Codes: 8192, CodeDim: 32, TargetDim: c.targetDim, Decay: 0.99, Beta: 1, KMeansInit: true,
			},
			Teacher: c.teacher,
		}
		if diff := cmp.Diff(want, *tokenizer.SectionOf(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		train := config.Train{
			Epochs: 100, Batch: 512, LR: 5e-5 * 512 / 128, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
			MinCropScale: 0.08, AccumulationSteps: 1, LRScaling: "linear", LRBatch: 512,
		}
		if diff := cmp.Diff(train, got.Train); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if got.Data.Augment != "crop" || got.Data.Jitter != 0 || got.Data.Eval.Whole {
			t.Errorf("%s: images are shown as %+v", c.name, got.Data)
		}
	}
}

// Tokenizers like PeCo's differ from those of the same size in what they rebuild alone.
func TestPeCoPresets(t *testing.T) {
	for name, of := range map[string]string{
		"base_peco": "vqkd_encoder_base_decoder_3x768x12_clip", "small32_peco": "small32", "small64_peco": "small64",
	} {
		want, got := section(of), section(name)
		want.Teacher, want.Perceptual, want.HOGEpsilon = "pixels", 1, 0
		want.Model.TargetDim = 3 * want.Model.Encoder.PatchSize * want.Model.Encoder.PatchSize
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(tokenizer.Method.Preset(of).Train, tokenizer.Method.Preset(name).Train); d != "" {
			t.Errorf("%s: training (-want +got):\n%s", name, d)
		}
	}
}

// TestSmallPresets holds the shapes and rates of our own presets, by which their figures in the README were made.
func TestSmallPresets(t *testing.T) {
	type shape struct{ Image, Patch, Width, Depth, Heads, Codes, CodeDim, Decoder int }
	for name, want := range map[string]shape{
		"small32":  {32, 4, 192, 6, 3, 512, 16, 1},
		"small64":  {64, 8, 256, 8, 4, 512, 16, 1},
		"small128": {128, 16, 384, 8, 6, 1024, 32, 1},
	} {
		c, s := tokenizer.Method.Preset(name), section(name)
		q, e := s.Model, s.Model.Encoder
		got := shape{e.ImageSize, e.PatchSize, e.Width, e.Depth, e.Heads, q.Codes, q.CodeDim, q.Decoder.Depth}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if e.LayerScale != 0 || s.Teacher != "hog" || !q.KMeansInit {
			t.Errorf("%s: LayerScale %g, teacher %s, k-means %v", name, e.LayerScale, s.Teacher, q.KMeansInit)
		}
		train := config.Train{
			Epochs: c.Train.Epochs, Batch: 128, LR: 1e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
			MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "sqrt", LRBatch: 128,
		}
		if diff := cmp.Diff(train, c.Train); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestTeacherDimensions compares the decoder's width with the teachers that are made from a preset alone.
func TestTeacherDimensions(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range tokenizer.Method.Presets {
		s := section(name)
		var h *beit.HOG
		var err error
		switch s.Teacher {
		case "hog":
			h, err = beit.NewHOG(s.Model.Encoder.ImageSize, s.Model.Encoder.PatchSize, 0)
		case "hog-ref":
			h, err = beit.NewHOGRef(s.Model.Encoder.ImageSize, s.Model.Encoder.PatchSize, 0)
		default:
			continue
		}
		seen[s.Teacher] = true
		if err != nil || h.Dim() != s.Model.TargetDim {
			t.Errorf("%s: target_dim %d, the teacher has %d, %v", name, s.Model.TargetDim, h.Dim(), err)
		}
	}
	if len(seen) != 2 {
		t.Errorf("teachers %v were seen", seen)
	}
}

func TestUnknownPreset(t *testing.T) {
	_, err := config.Configure(tokenizer.Method.Spec, "vqkd_encoder_base_decoder_2x768x12_clip", "", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "x768x12_clip") {
		t.Errorf("error is %v", err)
	}
}

// The counts were worked out from the authors' definitions (microsoft/unilm, beit2), apart from this code.
func TestParameterCounts(t *testing.T) {
	const decodeCLIP, decodeDINO = 984_320, 1_181_184
	for _, c := range []struct {
		name                   string
		total, decoder, decode int
	}{
		{"vqkd_encoder_base_decoder_1x768x12_clip", 94_655_008, 7_266_048, decodeCLIP},
		{"vqkd_encoder_base_decoder_3x768x12_clip", 108_829_216, 21_440_256, decodeCLIP},
		{"vqkd_encoder_base_decoder_1x768x12_dino", 94_851_872, 7_266_048, decodeDINO},
	} {
		set := nn.NewSet()
		beit.NewVQKD(set.Scope(), section(c.name).Model)
		if got := set.Count(); got != c.total {
			t.Errorf("%s: %d parameters, want %d", c.name, got, c.total)
		}
		parts := map[string]int{"encoder": 85_789_440, "decoder": c.decoder, "encode_task_layer": 615_200, "decode_task_layer": c.decode}
		for _, p := range set.Params() {
			part, _, _ := strings.Cut(p.Name, ".")
			if !p.Buffer {
				parts[part] -= p.Shape.Size()
			}
		}
		for part, left := range parts {
			if left != 0 {
				t.Errorf("%s: %s differs from the count by %d", c.name, part, left)
			}
		}
		if got := set.Lookup("quantize.embedding.weight").Shape.Size(); got != 262_144 {
			t.Errorf("%s: codebook of %d numbers", c.name, got)
		}
	}
}

// Runs that are older than data.reduce saw their images whole, whatever the preset says now.
func TestOldRunsReduceNothing(t *testing.T) {
	text := tokenizer.Method.Preset("small64").TOML()
	if !strings.Contains(text, "reduce = true\n") {
		t.Fatal("the preset does not reduce images")
	}
	for text, want := range map[string]bool{text: true, strings.Replace(text, "reduce = true\n", "", 1): false} {
		c, err := config.Read(tokenizer.Method.Spec, text, "config.toml")
		if err != nil || c.Data.Reduce != want {
			t.Errorf("%v, want %v: %v", c.Data.Reduce, want, err)
		}
	}
}
