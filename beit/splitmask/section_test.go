package splitmask

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/internal/traintest"
)

func TestSection(t *testing.T) {
	for set, want := range map[string]string{
		"splitmask.contrast.temperature=0":     "splitmask.contrast.temperature = 0",
		"splitmask.contrast.weight=-1":         "splitmask.contrast.weight = -1",
		"splitmask.model.decoder.width=18":     "decoder.width = 18: must be a multiple of 4",
		"splitmask.model.decoder.heads=3":      "decoder.heads = 3: must divide decoder.width = 16",
		"splitmask.model.decoder.depth=100000": "splitmask.model.decoder: 100000 blocks",
		"splitmask.model.vocab=0":              "vocab = 0: must be at least 1",
		"splitmask.model.vit.rel_pos=shared":   "encoders of this method have abs_pos",
		"splitmask.model.vit.patch_size=16":    "splitmask.model.vit: 1 patches: must be at least 2",
		"splitmask.model.vit.channels=4":       "red, green and blue alone",
		"data.augment=multi":                   "data.augment",
		"train.accumulation_steps=64":          "train.batch = 64, train.accumulation_steps = 64: a micro-batch of one image has no others for InfoNCE: have a batch of at least 128",
		"train.batch=1":                        "train.batch = 1, train.accumulation_steps = 1: a micro-batch of one image has no others for InfoNCE: have a batch of at least 2",
		"data.eval.batch=1":                    "data.eval.batch = 1: one image has no others for InfoNCE",
	} {
		_, _, err := Method.Configure("tiny32", "", append([]string{"splitmask.model.vit.image_size=16", "splitmask.model.vit.patch_size=4",
			"splitmask.model.decoder.width=16", "splitmask.model.decoder.heads=2"}, set), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", set, err, want)
		}
	}
	for _, set := range [][]string{nil, {"train.batch=1", "data.eval.batch=1", "splitmask.contrast.weight=0"}} {
		if err := traintest.Tiny(t, Method, set...).Check(); err != nil {
			t.Error(err)
		}
	}
}

// Numbers that tell streams of random numbers apart stay as they are: old runs would continue with others.
func TestStreams(t *testing.T) {
	if d := cmp.Diff([]uint64{0x73706c697401, 0x73706c697402, 0x73706c697403}, []uint64{streamHalves, streamHalvesVal, streamOrderVal}); d != "" {
		t.Errorf("streams (-want +got):\n%s", d)
	}
}
