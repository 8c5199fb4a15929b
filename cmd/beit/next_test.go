package main

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// The next command has the run's own preset, or that of the same sizes.
func TestPresetOf(t *testing.T) {
	for _, c := range []struct {
		from   *method.Method
		preset string
		then   *method.Method
		want   string
	}{
		{tokenizer.Method, "small32", pretrain.Method, ""}, {tokenizer.Method, "small64", pretrain.Method, "--preset small64"},
		{tokenizer.Method, "small32_peco", pretrain.Method, ""}, {tokenizer.Method, "small64_peco", pretrain.Method, "--preset small64"},
		{tokenizer.Method, "base_peco", pretrain.Method, "--preset base_1600e"},
		{tokenizer.Method, "vqkd_encoder_base_decoder_1x768x12_dino", pretrain.Method, "--preset base_1600e"},
		{pretrain.Method, "base_300e", finetune.Method, "--preset base_300e"}, {pretrain.Method, "small128_beit1", finetune.Method, "--preset small128"},
		{cae.Method, "base", finetune.Method, "--preset base_cae"}, {cae.Method, "small64", finetune.Method, "--preset small64"},
	} {
		if got := strings.Join(presetOf(c.from.Preset(c.preset), c.then), " "); got != c.want {
			t.Errorf("%s %s, then %s: %q, want %q", c.from.Name, c.preset, c.then.Name, got, c.want)
		}
	}
}
