package beit

import (
	"strconv"
	"strings"
)

// LayerID returns the layer of a parameter for layer-wise learning rate decay in a ViT of the given depth. Tokens, positions and patch
// embedding have layer 0, block i has i+1, everything else depth+1.
func LayerID(name string, depth int) int {
	if name == "cls_token" || name == "mask_token" || name == "pos_embed" || strings.HasPrefix(name, "patch_embed.") {
		return 0
	}
	if rest, ok := strings.CutPrefix(name, "blocks."); ok {
		number, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(number); err == nil {
			return i + 1
		}
	}
	return depth + 1
}
