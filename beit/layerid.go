package beit

import (
	"strconv"
	"strings"
)

// LayerID says to which layer a parameter of a ViT of the given depth belongs for layer-wise decay of the learning rate:
// tokens, positions and patch embedding to 0, block i to i+1, everything else to depth+1.
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
