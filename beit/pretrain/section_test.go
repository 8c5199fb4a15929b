package pretrain

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/tensor"
)

// Numbers that tell streams of random numbers apart stay as they are: old runs would continue with others.
func TestStreams(t *testing.T) {
	got := []uint64{streamMask, streamMaskVal, streamShuffle, streamCLSShuffle, streamHidden, streamHiddenVal}
	if d := cmp.Diff([]uint64{0x747261696e03, 0x747261696e04, 0x747261696e05, 0x73776170, 0x747261696e09, 0x747261696e0a}, got); d != "" {
		t.Errorf("streams (-want +got):\n%s", d)
	}
}

// Masks have the model's patches, whoever filled in the configuration.
func TestMaskOfAnotherGrid(t *testing.T) {
	c := traintest.Tiny(t, Method)
	SectionOf(c).Mask.Rows, SectionOf(c).Mask.Cols = 2, 8
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "pretrain.mask.rows = 2, pretrain.mask.cols = 8: must both be 4") {
		t.Errorf("error %v", err)
	}
}

// Losses over other tokens than the masked ones are those of features.
func TestFeatureLossOfCodes(t *testing.T) {
	c := traintest.Tiny(t, Method)
	if got := SectionOf(c).FeatureLoss; got != "masked" {
		t.Errorf("the default is %q", got)
	}
	for value, want := range map[string]string{
		"all": `pretrain.feature_loss = "all": pretrain.target = "codes" has no features`, "some": `pretrain.feature_loss = "some"`,
	} {
		SectionOf(c).FeatureLoss = value
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// TestReferencePreset compares with the configuration of the run of the authors' code.
func TestReferencePreset(t *testing.T) {
	c, _, err := Method.Configure(config.ReferencePreset, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := SectionOf(c)
	if m := s.Model; m.Aggregation.Layer != 4 || m.Aggregation.Depth != 2 || !m.Aggregation.SharedHead || m.ViT.LayerScale != 0.1 ||
		m.ViT.AbsPos || m.ViT.RelPos != "shared" {
		t.Errorf("model %+v", m)
	}
	if s.Mask.Count != 26 || s.Mask.MinBlock != 4 || c.Train.Clip != 3 || c.Train.Beta2 != 0.98 || c.Train.Epochs != 10 || !c.Train.WarmupOffset {
		t.Errorf("mask %+v, train %+v", s.Mask, c.Train)
	}
}

func TestShuffleReadable(t *testing.T) {
	codes := []int32{-1, -1, 3, 4, 5, 6, -1, -1, 7, 8, 9, 10}
	shuffleReadable(codes, tensor.NewRand(1))
	counts := map[int32]int{}
	for i, c := range codes {
		counts[c]++
		if unreadable := i < 2 || i == 6 || i == 7; unreadable != (c < 0) {
			t.Errorf("code %d at %d", c, i)
		}
	}
	if d := cmp.Diff(map[int32]int{-1: 4, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1}, counts); d != "" {
		t.Errorf("codes (-want +got):\n%s", d)
	}
}
