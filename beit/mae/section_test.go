package mae

import (
	"strings"
	"testing"
)

// Numbers that tell streams of random numbers apart stay as they are: old runs would continue with others.
func TestStreams(t *testing.T) {
	if streamMask != 0x6d61653001 || streamMaskVal != 0x6d61653002 {
		t.Errorf("streams %#x, %#x", streamMask, streamMaskVal)
	}
}

func TestCheck(t *testing.T) {
	tiny := []string{
		"mae.model.vit.image_size=16", "mae.model.vit.patch_size=4", "mae.model.vit.width=32", "mae.model.vit.heads=2",
		"mae.model.decoder.width=16", "mae.model.decoder.heads=2", "data.pad=2",
	}
	for _, c := range []struct{ set, want string }{
		{"mae.mask.ratio=0.5", ""},
		{"mae.mask.ratio=0.99", "leaves 0 of 16 patches visible"},
		{"mae.mask.ratio=1", "mae.mask.ratio"},
		{"mae.model.vit.width=30 mae.model.vit.heads=3", "vit.width = 30: must be a multiple of 4"},
		{"mae.model.decoder.width=18", "decoder.width = 18: must be a multiple of 4"},
		{"mae.model.decoder.heads=3", "decoder.heads = 3: must divide decoder.width = 16"},
		{"mae.model.decoder.depth=0", "mae.model.decoder.depth"},
		{"mae.model.decoder.width=16000000", "no machine holds them"},
		{"mae.model.decoder.depth=1000000000", "must be at most"},
		{"mae.model.vit.layer_scale=0.1", "encoders of MAE have abs_pos"},
		{"mae.model.vit.rel_pos=shared", "encoders of MAE have abs_pos"},
		{"mae.model.vit.channels=4", "method mae takes red, green and blue alone"},
		{"mae.model.vit.image_size=16x32", "method mae takes squares alone"},
		{"data.keep_16_bits=true", "method mae takes 8 bits alone"},
		{"mask_ratio=0.5", "mae.mask.ratio"}, // as the authors' scripts call it
		{"mae.model.vit.patch_size=0", "patch_size"},
		{"mae.model.vit.image_size=-16", "image_size"},
	} {
		_, _, err := Method.Configure("tiny32", "", append(tiny[:len(tiny):len(tiny)], strings.Fields(c.set)...), nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.set, err, c.want)
		}
	}
}
