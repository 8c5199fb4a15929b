package pretrain_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// tokens are those of a model's network for random images in [0, 1], normalised as the network wants them.
func tokens(t *testing.T, path string) []float32 {
	t.Helper()
	dev := tensor.CPU()
	e := runtest.Encoder(t, dev, path)
	r := tensor.NewRand(5)
	pixels := make([]float32, 4*3*e.ViT.ImageSize*e.ViT.ImageSize)
	for i := range pixels {
		pixels[i] = float32(r.Uniform(0, 1))
	}
	images := tensor.FromSlice(dev, pixels, 4, 3, e.ViT.ImageSize, e.ViT.ImageSize)
	tape := autograd.NewTape(dev)
	view := tape.Own(beit.Normalize(images, e.Norm.Mean, e.Norm.Std))
	return e.AllTokens(nn.Context{Tape: tape}, view).Value().Float32s()
}

// A backbone that starts from a tokenizer computes what its encoder does, although it sees images normalised otherwise.
func TestStartFromTokenizer(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	cfg := runtest.Tiny(t, pretrain.Method, "pretrain.tokenizer="+tok, "init_from="+tok, "train.epochs=1", "train.lr=0", "train.min_lr=0")
	encoder := tokenizer.SectionOf(runtest.Open(t, tok).Config).Model.Encoder
	if v := pretrain.SectionOf(cfg).Model.ViT; !v.AbsPos || v.LayerScale != 0 || v.RelPos != beit.RelPosNone || v.Width != encoder.Width {
		t.Errorf("the backbone is %+v, the encoder %+v", v, encoder)
	}
	res := runtest.Train(t, pretrain.Method, cfg, train.Env{})
	want, got := tokens(t, tok), tokens(t, res.Dir)
	if len(want) != len(got) {
		t.Fatalf("%d numbers, want %d", len(got), len(want))
	}
	worst := 0.0
	for i, w := range want {
		worst = max(worst, math.Abs(float64(got[i]-w)))
	}
	if !(worst < 2e-5) {
		t.Errorf("tokens differ by up to %g from the encoder's", worst)
	}
}

// With from_tokenizer the tokenizer is what a run starts from, where nothing else is named.
func TestFromTokenizer(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	backbone := runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok)
	for _, c := range []struct{ set, want string }{
		{"pretrain.from_tokenizer=true", tok}, {"pretrain.from_tokenizer=false", ""}, {"init_from=" + backbone, backbone},
	} {
		set := []string{"pretrain.from_tokenizer=true", "pretrain.tokenizer=" + tok, c.set}
		cfg, start, err := pretrain.Method.Configure("small32", "", set, model.Opener())
		if err != nil {
			t.Fatalf("%s: %v", c.set, err)
		}
		if start != nil {
			start.Close()
		}
		if cfg.InitFrom != c.want {
			t.Errorf("%s: starts from %q, want %q", c.set, cfg.InitFrom, c.want)
		}
	}
	_, _, err := pretrain.Method.Configure("small32", "", []string{"pretrain.tokenizer=gone"}, model.Opener())
	if err == nil || !strings.HasPrefix(err.Error(), "pretrain.tokenizer: gone: ") {
		t.Errorf("no such tokenizer: error %v", err)
	}
	_, _, err = pretrain.Method.Configure("small32", "", []string{"pretrain.from_tokenizer=true", "pretrain.tokenizer=" + tok, "pretrain.model.vit.width=64"}, model.Opener())
	if err == nil || !strings.Contains(err.Error(), "pretrain.from_tokenizer=false") {
		t.Errorf("another width: error %v", err)
	}
}

// What the encoder does not have is made anew, and what only it has is an error before anything is trained.
func TestStartFromTokenizerElsewise(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	for _, c := range []struct {
		set  []string
		want string // part of the error; empty: none
	}{
		{[]string{"pretrain.model.vit.rel_pos=shared"}, ""},
		{[]string{"pretrain.model.vit.abs_pos=false"}, "pos_embed"},
		{[]string{"pretrain.model.vit.layer_scale=0.1"}, "gamma_1"},
		{[]string{"pretrain.model.vit.width=64"}, "cls_token"},
	} {
		set := append([]string{"pretrain.tokenizer=" + tok, "init_from=" + tok}, c.set...)
		_, start, err := pretrain.Method.Configure("small32", "", set, model.Opener())
		if start != nil {
			start.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want one with %q", c.set, err, c.want)
		}
	}
}

// Models of other kinds are refused.
func TestStartFromOthers(t *testing.T) {
	tok, classifier := runtest.Folder(t, tokenizer.Method), runtest.Folder(t, finetune.Method)
	cfg := runtest.Tiny(t, pretrain.Method, "pretrain.tokenizer="+tok, "init_from="+classifier)
	_, err := train.Run(t.Context(), t.TempDir()+"/run", pretrain.Method, cfg, train.Env{Open: model.Opener()})
	if err == nil || !strings.Contains(err.Error(), "wanted is a backbone") {
		t.Errorf("a classifier: error %v", err)
	}
}
