package tokenizer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
)

// Numbers that tell streams of random numbers apart stay as they are: old runs would continue with others.
func TestStreams(t *testing.T) {
	got := []uint64{streamKMeans, streamTeacher, streamBaselines}
	if d := cmp.Diff([]uint64{0x747261696e01, 0x747261696e02, 0x747261696e06}, got); d != "" {
		t.Errorf("streams (-want +got):\n%s", d)
	}
}

func TestConfigureOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.toml")
	text := "preset = \"small64\"\n[train]\nepochs = 3\nlr = 0.5\n[tokenizer.model]\ncodes = 99\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c, _, err := Method.Configure("", file, []string{"train.lr = 0.25", "tokenizer.model.code_dim=8"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := SectionOf(c).Model
	if c.Preset != "small64" || c.Train.Epochs != 3 || c.Train.LR != 0.25 || m.Codes != 99 || m.Encoder.ImageSize != 64 {
		t.Errorf("got %s", c.TOML())
	}
	if m.Decoder.Channels != 8 {
		t.Errorf("decoder.channels = %d did not follow code_dim = 8", m.Decoder.Channels)
	}
	if c, _, err = Method.Configure("small32", file, nil, nil); err != nil || c.Preset != "small32" || SectionOf(c).Model.Encoder.ImageSize != 32 {
		t.Errorf("the caller's preset: %v, error %v", c.Preset, err)
	}
}

// TestReferencePreset compares with the configuration of the run of the authors' code.
func TestReferencePreset(t *testing.T) {
	c, _, err := Method.Configure(config.ReferencePreset, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := SectionOf(c); s.Teacher != "hog-ref" || s.Reseed || max(kMeansLeast*s.Model.Codes, s.KMeansTokens) > 128*64 || s.Model.TargetDim != 30 {
		t.Errorf("tokenizer %+v", s)
	}
	if c.Data.Augment != "pad-crop" || c.Data.Pad != 4 || !c.Data.Eval.Whole || c.Train.Epochs != 8 || c.Train.Clip != 0 || c.Train.LRFactor() != 1 {
		t.Errorf("data %+v, train %+v", c.Data, c.Train)
	}
}
