package beit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TestSegmenterParameters compares the number of trainable parameters with that of the published segmenters at 512².
func TestSegmenterParameters(t *testing.T) {
	for _, c := range []struct {
		vit             string
		image, channels int
		want            int
	}{{"base_16_224", 512, 768, 163_080_812}, {"large_16_224", 512, 1024, 440_398_636}, {"base_16_224", 640, 768, 163_407_980}, {"large_16_224", 640, 1024, 441_271_084}} {
		v := beit.ViTPreset(c.vit)
		v.ImageSize = c.image
		config := beit.SegmenterConfig{ViT: v, Head: beit.HeadUperNet, Taps: beit.TapsOfficial, HeadChannels: c.channels, AuxChannels: 256, Classes: 150}
		if err := config.Check(); err != nil {
			t.Fatal(err)
		}
		set := nn.NewSet()
		beit.NewSegmenter(set.Scope(), config, false)
		if got := set.Count(); got != c.want {
			t.Errorf("%s at %d: %d parameters, want %d", c.vit, c.image, got, c.want)
		}
	}
}

// TestSegmenterFLOPs compares with the multiply-adds of the published base network at 512², counted apart: 107·10⁹ of the backbone, 498·10⁹ of the neck
// and the decode head, 1.9·10⁹ of the auxiliary head.
func TestSegmenterFLOPs(t *testing.T) {
	v := beit.ViTPreset("base_16_224")
	v.ImageSize = 512
	c := beit.SegmenterConfig{ViT: v, Head: beit.HeadUperNet, Taps: beit.TapsOfficial, HeadChannels: 768, AuxChannels: 256, Classes: 150}
	if got := c.FLOPs() / 2e9; got < 605.5 || got > 608.5 {
		t.Errorf("%.1f·10⁹ multiply-adds, want about 607·10⁹", got)
	}
}

// The rule for taps is that of the authors' configurations, and two blocks earlier that of transformers.
func TestTaps(t *testing.T) {
	for _, c := range []struct {
		taps  string
		depth int
		want  string // or a part of the error
	}{
		{"official", 12, "[3 5 7 11]"}, {"official", 24, "[7 11 15 23]"}, {"official", 6, "[1 2 3 5]"}, {"official", 4, "[0 1 2 3]"}, {"official", 1, "[0 0 0 0]"},
		{"hf", 12, "[1 3 5 9]"}, {"hf", 24, "[5 9 13 21]"}, {"hf", 6, "needs a depth of at least 8"}, {"0, 2,3,4", 5, "[0 2 3 4]"},
		{"0,2,3,5", 5, "numbers of blocks, 0 … 4"}, {"0,2,3", 5, "must be 4 numbers"}, {"3,2,1,0", 5, "rising order"}, {"none", 5, "must be official, hf"},
	} {
		got, err := beit.SegmenterConfig{Taps: c.taps, ViT: beit.ViTConfig{Depth: c.depth}}.TapBlocks()
		if text := fmt.Sprint(got); text != c.want && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s of %d: %v, %v, want %s", c.taps, c.depth, got, err, c.want)
		}
		if err == nil && c.depth == 12 && beit.TapsText(c.depth, got) != c.taps {
			t.Errorf("%v is called %s", got, beit.TapsText(c.depth, got))
		}
	}
}

// Windows at far edges are shifted back inside, and all pixels are covered.
func TestWindows(t *testing.T) {
	for _, c := range []struct {
		w, h, side, stride int
		want               string
	}{
		{64, 64, 64, 43, "[(0,0)-(64,64)]"},
		{101, 72, 64, 43, "[(0,0)-(64,64) (37,0)-(101,64) (0,8)-(64,72) (37,8)-(101,72)]"},
		{130, 64, 64, 43, "[(0,0)-(64,64) (43,0)-(107,64) (66,0)-(130,64)]"},
	} {
		if got := fmt.Sprint(beit.Windows(c.w, c.h, c.side, c.stride)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// The parameters of a frozen backbone are buffers; neck and heads get a gradient.
func TestFrozenBackbone(t *testing.T) {
	for _, head := range []string{beit.HeadUperNet, beit.HeadLinear} {
		v := tinyViT()
		v.ImageSize, v.PatchSize, v.Depth = 32, 8, 2
		c := beit.SegmenterConfig{ViT: v, Head: head, Taps: "0,0,1,1", HeadChannels: 8, AuxChannels: 4, Classes: 3}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		set := nn.NewSet()
		m := beit.NewSegmenter(set.Scope(), c, true)
		set.Build(tensor.CPU(), 1, nn.Training)
		defer set.Release()
		tape := autograd.NewTape(tensor.CPU())
		images := tape.Own(tensor.FromSlice(tensor.CPU(), testImages(2, 32), 2, 3, 32, 32))
		logits, _ := m.Forward(nn.Context{Tape: tape, Train: true}, images)
		tape.Backward(autograd.Mean(autograd.Reshape(autograd.Mul(logits, logits), -1), 0))
		tape.Reset()
		if g := set.Lookup("decode_head.conv_seg.weight").Grad.Float32s(); slices.Max(g) == 0 {
			t.Errorf("%s: the head gets no gradient", head)
		}
		for _, p := range set.Params() {
			if backbone := strings.HasPrefix(p.Name, "backbone.") && !strings.HasPrefix(p.Name, "backbone.fpn"); backbone != (p.Buffer && !strings.Contains(p.Name, "running_")) {
				t.Errorf("%s: %s, buffer %v", head, p.Name, p.Buffer)
			}
		}
	}
}
