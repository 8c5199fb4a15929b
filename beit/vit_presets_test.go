package beit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
)

// The counts were worked out from the authors' definitions (microsoft/unilm, beit2), apart from this code.
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
			cfg := beit.ViTPreset(c.name)
			cfg.Classes = classes
			set := nn.NewSet()
			beit.NewViT(set.Scope(), cfg)
			if got := set.Count(); got != want {
				t.Errorf("%s with %d classes: %d parameters, want %d", c.name, classes, got, want)
			}
		}
	}
}

func TestViTPresetsPassCheck(t *testing.T) {
	for _, name := range beit.ViTPresets() {
		if err := beit.ViTPreset(name).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnknownViTPreset(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, `no "smal32"`) || !strings.Contains(text, "small32") {
			t.Errorf("panic with %s", text)
		}
	}()
	beit.ViTPreset("smal32")
}
