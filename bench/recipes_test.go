package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/optim"
)

// Recipes are equal to the presets of the same name.
func TestRecipesArePresets(t *testing.T) {
	adamw := func(c config.Train) optim.AdamWConfig {
		return optim.AdamWConfig{Beta1: c.Beta1, Beta2: c.Beta2, Eps: c.Eps, Decay: c.Decay, Clip: c.Clip}
	}
	for preset, got := range recipes {
		mim, tok := pretrain.Method.Preset(preset), tokenizer.Method.Preset(pretrain.TokenizerPreset(preset))
		want := recipe{
			tokenizer: tokenizer.SectionOf(tok).Model, tokenizerOptim: adamw(tok.Train), tokenizerLR: tok.Train.LR,
			mim: pretrain.SectionOf(mim).Model, mask: pretrain.SectionOf(mim).Mask, mimOptim: adamw(mim.Train), mimLR: mim.Train.LR,
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(recipe{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", preset, diff)
		}
	}
}
