package cae

import (
	"strings"
	"testing"
)

// Numbers that tell streams of random numbers apart stay as they are: old runs would continue with others.
func TestStreams(t *testing.T) {
	if streamMask != 0x63616501 || streamMaskVal != 0x63616502 {
		t.Errorf("streams %#x, %#x", streamMask, streamMaskVal)
	}
}

func TestCheck(t *testing.T) {
	tiny := []string{
		"cae.model.vit.image_size=16", "cae.model.vit.patch_size=4", "cae.model.vit.width=32", "cae.model.vit.heads=2",
		"cae.model.neck.width=16", "cae.model.neck.heads=2", "data.pad=2",
	}
	for _, c := range []struct{ set, want string }{
		{"cae.mask.ratio=0.4", ""},
		{"cae.mask.ratio=0.99", "masks 16 of 16 patches"},
		{"cae.mask.ratio=0.01", "masks 0 of 16 patches"},
		{"cae.mask.ratio=1", "cae.mask.ratio"},
		{"cae.mask.min_block=0", "cae.mask.min_block"},
		{"cae.target=features", "cae.target"},
		{"cae.model.vit.width=30 cae.model.vit.heads=3", "vit.width = 30: must be a multiple of 4"},
		{"cae.model.neck.width=18", "neck.width = 18: must be a multiple of 4"},
		{"cae.model.neck.heads=3", "neck.heads = 3: must divide neck.width = 16"},
		{"cae.model.neck.heads=0", "cae.model.neck.heads"},
		{"cae.model.neck.decoder_depth=0", "cae.model.neck.decoder_depth"},
		{"cae.model.neck.regressor_depth=0", "cae.model.neck.regressor_depth"},
		{"cae.model.neck.width=16000000", "no machine holds them"},
		{"cae.model.neck.regressor_depth=1000000000", "must be at most"},
		{"cae.model.vocab=0", "vocab = 0: must be at least 1"},
		{"cae.model.vit.rel_pos=shared", "encoders of CAE have abs_pos"},
		{"cae.model.vit.abs_pos=false", "encoders of CAE have abs_pos"},
		{"cae.model.vit.channels=4", "takes red, green and blue alone"},
		{"cae.model.vit.patch_size=0", "patch_size"},
		{"cae.model.vit.image_size=-16", "image_size"},
	} {
		_, _, err := Method.Configure("tiny32", "", append(tiny[:len(tiny):len(tiny)], strings.Fields(c.set)...), nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.set, err, c.want)
		}
	}
}
