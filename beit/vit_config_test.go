package beit_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
)

func TestConfigCheckNamesKeys(t *testing.T) {
	for key, change := range map[string]func(*beit.ViTConfig){
		"image_size": func(c *beit.ViTConfig) { c.ImageSize = 30 },
		"patch_size": func(c *beit.ViTConfig) { c.PatchSize = 0 },
		"heads":      func(c *beit.ViTConfig) { c.Heads = 5 },
		"mlp_ratio":  func(c *beit.ViTConfig) { c.MLPRatio = math.NaN() },
		"drop_path":  func(c *beit.ViTConfig) { c.DropPath = 1 },
		"rel_pos":    func(c *beit.ViTConfig) { c.RelPos = "global" },
		"classes":    func(c *beit.ViTConfig) { c.Classes = -1 },
	} {
		bad := beit.ViTPreset("small32")
		change(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: error is %v", key, err)
		}
	}
}
