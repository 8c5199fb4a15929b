package beit_test

import (
	"math"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
)

// The numbers of this file were worked out from the authors' definitions (microsoft/unilm, beit2), apart from this code.

func TestViTParameterCounts(t *testing.T) {
	for _, c := range []struct {
		name                      string
		with1000, with21841, bare int
	}{
		{"base_16_224", 86_530_984, 102_557_713, 85_761_984},
		{"base_16_256", 86_564_392, 102_591_121, 85_795_392},
		{"base_16_384", 86_744_104, 102_770_833, 85_975_104},
		{"24x544_16_224", 86_658_408, 98_016_753, 86_113_408},
		{"large_16_224", 304_430_568, 325_792_593, 303_405_568},
		{"large_16_384", 304_998_888, 326_360_913, 303_973_888},
		{"large_16_512", 305_674_728, 327_036_753, 304_649_728},
		{"huge_14_224", 632_251_368, 658_948_689, 630_970_368},
		{"giant_14_224", 1_012_922_856, 1_042_287_825, 1_011_513_856},
	} {
		for classes, want := range map[int]int{1000: c.with1000, 21841: c.with21841, 0: c.bare} {
			cfg, err := beit.ViTPreset(c.name)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Classes = classes
			set := nn.NewSet()
			beit.NewViT(set.Scope(), cfg)
			if got := set.Count(); got != want {
				t.Errorf("%s with %d classes: %d parameters, want %d", c.name, classes, got, want)
			}
		}
	}
}

func TestMIMParameterCounts(t *testing.T) {
	for name, want := range map[string]int{
		"base_plain": 91_965_776, "base_300e": 106_143_056,
		"24x544_plain": 90_309_216, "24x544": 97_426_912,
		"large_plain": 311_534_016, "large_1600e": 336_728_512,
		"huge_plain": 640_987_456,
	} {
		r, err := beit.MIMPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		set := nn.NewSet()
		beit.NewMIM(set.Scope(), r.Model)
		if got := set.Count(); got != want {
			t.Errorf("%s: %d parameters, want %d", name, got, want)
		}
	}
}

func TestTokenizerParameterCounts(t *testing.T) {
	const decodeCLIP, decodeDINO = 984_320, 1_181_184
	for _, c := range []struct {
		name                   string
		total, decoder, decode int
	}{
		{"vqkd_encoder_base_decoder_1x768x12_clip", 94_655_008, 7_266_048, decodeCLIP},
		{"vqkd_encoder_base_decoder_3x768x12_clip", 108_829_216, 21_440_256, decodeCLIP},
		{"vqkd_encoder_base_decoder_1x768x12_dino", 94_851_872, 7_266_048, decodeDINO},
	} {
		r, err := beit.TokenizerPreset(c.name)
		if err != nil {
			t.Fatal(err)
		}
		set := nn.NewSet()
		beit.NewVQKD(set.Scope(), r.Model)
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

func TestRelPosIndex(t *testing.T) {
	index := nn.RelPosIndex(14, 14)
	for _, c := range []struct {
		q, k int
		want int32
	}{{1, 1, 364}, {1, 2, 363}, {0, 5, 729}, {5, 0, 730}, {0, 0, 731}} {
		if got := index[c.q*197+c.k]; got != c.want {
			t.Errorf("I[%d,%d] = %d, want %d", c.q, c.k, got, c.want)
		}
	}
	for w, want := range map[int]int{14: 732, 16: 964, 24: 2212, 32: 3972} {
		if got := nn.RelPosRows(w, w); got != want {
			t.Errorf("window %d: %d rows, want %d", w, got, want)
		}
	}
}

// TestRelPosIndexWindow compares a window that is no square with the definition, one pair of patches at a time.
func TestRelPosIndexWindow(t *testing.T) {
	const rows, cols = 3, 5
	index, n := nn.RelPosIndex(rows, cols), 1+rows*cols
	seen := map[int32][2]int{}
	for q := 1; q < n; q++ {
		for k := 1; k < n; k++ {
			offset := [2]int{(q-1)/cols - (k-1)/cols, (q-1)%cols - (k-1)%cols}
			want := int32((offset[0]+rows-1)*(2*cols-1) + offset[1] + cols - 1)
			got := index[q*n+k]
			if got != want {
				t.Fatalf("I[%d,%d] = %d, want %d", q, k, got, want)
			}
			if old, ok := seen[got]; ok && old != offset {
				t.Fatalf("offsets %v and %v share row %d", old, offset, got)
			}
			seen[got] = offset
		}
	}
	if want := (2*rows - 1) * (2*cols - 1); len(seen) != want {
		t.Errorf("%d rows are used, want %d", len(seen), want)
	}
}

func TestDropPathRates(t *testing.T) {
	r, err := beit.MIMPreset("base_1600e")
	if err != nil {
		t.Fatal(err)
	}
	m := beit.NewMIM(nn.NewSet().Scope(), r.Model)
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 5e-5 {
			t.Errorf("%s: rate %.4f, want %.4f", what, got, want)
		}
	}
	near("block 1", m.Blocks[0].DropPath, 0)
	near("block 7", m.Blocks[6].DropPath, 0.0545)
	near("block 12", m.Blocks[11].DropPath, 0.1)
	near("aggregation 1", m.Extra[0].DropPath, 0.0818)
	near("aggregation 2", m.Extra[1].DropPath, 0.0909)
}

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

// TestPublishedSchedule is the 300-epoch recipe on ImageNet-1k, 625 steps an epoch.
func TestPublishedSchedule(t *testing.T) {
	r, err := beit.MIMPreset("base_300e")
	if err != nil {
		t.Fatal(err)
	}
	const epoch = 625
	c := optim.Cosine{Peak: r.Train.LR, Min: r.Train.MinLR, Warmup: r.Train.WarmupEpochs * epoch, Total: r.Train.Epochs * epoch}
	for step, want := range map[int]float64{0: 0, 6249: 1.5e-3, 6250: 1.5e-3} {
		if got := c.At(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: rate %g, want %g", step, got, want)
		}
	}
	if got := c.At(c.Total - 1); got <= 1e-5 || got > 1.0001e-5 {
		t.Errorf("last step: rate %g, want just above 1e-5", got)
	}
}

// TestRecipesAsTOML writes every recipe and reads it back strictly.
func TestRecipesAsTOML(t *testing.T) {
	for _, name := range beit.MIMPresets() {
		r, _ := beit.MIMPreset(name)
		roundTrip(t, name, r)
	}
	for _, name := range beit.TokenizerPresets() {
		r, _ := beit.TokenizerPreset(name)
		roundTrip(t, name, r)
	}
	for _, name := range beit.FineTuningPresets() {
		r, _ := beit.FineTuningPreset(name)
		roundTrip(t, name, r)
	}
}

func roundTrip[T any](t *testing.T, name string, want T) {
	t.Helper()
	text, err := toml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got T
	meta, err := toml.Decode(string(text), &got)
	if err != nil {
		t.Fatal(err)
	}
	if len(meta.Undecoded()) > 0 {
		t.Errorf("%s: keys %v are not read", name, meta.Undecoded())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if key, _, ok := strings.Cut(strings.TrimSpace(line), " ="); ok && strings.ToLower(key) != key {
			t.Errorf("%s: key %q has no toml tag", name, key)
		}
	}
}

func TestPresetsPassCheck(t *testing.T) {
	check := func(name string, err error) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range beit.ViTPresets() {
		c, err := beit.ViTPreset(name)
		check(name, err)
		check(name, c.Check())
	}
	for _, name := range beit.TokenizerPresets() {
		r, err := beit.TokenizerPreset(name)
		check(name, err)
		check(name, r.Model.Check())
		if r.Teacher == "hog" {
			h, err := beit.NewHOG(r.Model.Encoder.ImageSize, r.Model.Encoder.PatchSize)
			check(name, err)
			if h.Dim() != r.Model.TargetDim {
				t.Errorf("%s: target_dim %d, the teacher has %d", name, r.Model.TargetDim, h.Dim())
			}
		}
	}
	for _, name := range beit.MIMPresets() {
		r, err := beit.MIMPreset(name)
		check(name, err)
		check(name, r.Model.Check())
		tok, err := beit.TokenizerPreset(r.Tokenizer)
		check(name, err)
		if tok.Model.Codes != r.Model.Vocab {
			t.Errorf("%s: vocab %d, its tokenizer has %d codes", name, r.Model.Vocab, tok.Model.Codes)
		}
	}
	small, err := beit.MIMPreset("small32")
	check("small32", err)
	if small.Mask.Count != 26 || small.Mask.MinBlock != 5 {
		t.Errorf("small32 masks %d patches in blocks of at least %d, want 26 and 5", small.Mask.Count, small.Mask.MinBlock)
	}
}

func TestPresetNames(t *testing.T) {
	_, err := beit.MIMPreset("smal32")
	if err == nil || !strings.Contains(err.Error(), `did you mean "small32"`) {
		t.Errorf("error is %v", err)
	}
	_, err = beit.TokenizerPreset("vqkd_encoder_base_decoder_2x768x12_clip")
	if err == nil || !strings.Contains(err.Error(), "x768x12_clip") {
		t.Errorf("error is %v", err)
	}
}

func TestConfigCheckNamesKeys(t *testing.T) {
	vit, err := beit.ViTPreset("small32")
	if err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(*beit.ViTConfig){
		"image_size": func(c *beit.ViTConfig) { c.ImageSize = 30 },
		"patch_size": func(c *beit.ViTConfig) { c.PatchSize = 0 },
		"heads":      func(c *beit.ViTConfig) { c.Heads = 5 },
		"mlp_ratio":  func(c *beit.ViTConfig) { c.MLPRatio = math.NaN() },
		"drop_path":  func(c *beit.ViTConfig) { c.DropPath = 1 },
		"rel_pos":    func(c *beit.ViTConfig) { c.RelPos = "global" },
		"classes":    func(c *beit.ViTConfig) { c.Classes = -1 },
	} {
		bad := vit
		change(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error is %v", key, err)
		}
	}
}
