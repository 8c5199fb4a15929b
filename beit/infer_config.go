package beit

import (
	"fmt"
	"math"
	"strings"
)

// InferBEiT returns the configuration of a BEiT classifier or MIM model that shapes of parameters, by the authors' names, imply.
// Without a relative position bias table, shapes do not tell the number of heads. Then it is width/64, or 0 if the width is no multiple
// of 64. Without any positions, shapes do not tell the image size, which is then 0. Call Check on the result.
func InferBEiT(shapes map[string][]int) (ViTConfig, error) {
	s := shapeReader{shapes: shapes}
	patch := s.patch("patch_embed.proj.weight")
	fc1 := s.get("blocks.0.mlp.fc1.weight", 2)
	if s.err != nil {
		return ViTConfig{}, fmt.Errorf("not a BEiT model: %w", s.err)
	}
	c := ViTConfig{
		PatchSize: patch[3], Channels: patch[1], Width: patch[0], Depth: s.count("blocks."), MLPRatio: MLPRatio(fc1[0], patch[0]),
		QKVBias: shapes["blocks.0.attn.q_bias"] != nil, AbsPos: shapes["pos_embed"] != nil, RelPos: RelPosNone,
		MeanPool: shapes["fc_norm.weight"] != nil, Heads: headsOf(patch[0]),
	}
	if shapes["blocks.0.gamma_1"] != nil {
		c.LayerScale = 0.1 // only its presence matters: the values will be loaded
	}
	grid := 0
	if c.AbsPos {
		grid = side(s.get("pos_embed", 3)[1] - 1)
	}
	const block, shared = "blocks.0.attn.relative_position_bias_table", "rel_pos_bias.relative_position_bias_table"
	useTable := func(name string, place RelPos) {
		table := s.get(name, 2)
		c.RelPos, c.Heads, grid = place, table[1], (side(table[0]-3)+1)/2
	}
	switch {
	case shapes[block] != nil && shapes[shared] != nil:
		return ViTConfig{}, fmt.Errorf("not a BEiT model: there are both %s and %s", block, shared)
	case shapes[block] != nil:
		useTable(block, RelPosBlock)
	case shapes[shared] != nil:
		useTable(shared, RelPosShared)
	}
	if head := shapes["head.weight"]; len(head) == 2 {
		c.Classes = head[0]
	}
	c.ImageSize = grid * c.PatchSize
	return c, s.err
}

// shapeReader looks up shapes of parameters by name. It keeps the first error.
type shapeReader struct {
	shapes map[string][]int
	err    error
}

// get returns the shape of a tensor with the given number of axes.
func (r *shapeReader) get(name string, axes int) []int {
	shape := r.shapes[name]
	switch {
	case r.err != nil:
	case shape == nil:
		r.err = fmt.Errorf("there is no tensor %s", name)
	case len(shape) != axes:
		r.err = fmt.Errorf("tensor %s has shape %v, wanted are %d axes", name, shape, axes)
	}
	if len(shape) != axes {
		return make([]int, axes)
	}
	return shape
}

// patch returns the shape (width, channels, P, P) of the convolution of a patch embedding.
func (r *shapeReader) patch(name string) []int {
	shape := r.get(name, 4)
	if r.err == nil && shape[2] != shape[3] {
		r.err = fmt.Errorf("tensor %s has shape %v, wanted are square patches", name, shape)
	}
	return shape
}

// count returns the number of elements of a list of modules, such as "blocks.".
func (r *shapeReader) count(list string) int {
	seen := map[string]bool{}
	for name := range r.shapes {
		if rest, ok := strings.CutPrefix(name, list); ok {
			number, _, _ := strings.Cut(rest, ".")
			seen[number] = true
		}
	}
	return len(seen)
}

// MLPRatio returns a ratio for which int(width·ratio) is hidden.
func MLPRatio(hidden, width int) float64 {
	r := float64(hidden) / float64(max(width, 1))
	for int(float64(width)*r) < hidden && !math.IsInf(r, 1) && width > 0 {
		r = math.Nextafter(r, math.Inf(1))
	}
	return r
}

// wideHeads are the heads of ViT-H and ViT-g, which are wider than 64.
var wideHeads = map[int]int{1280: 16, 1408: 16}

// headsOf returns the usual number of heads of a width: width/64 but in the largest networks, or 0 if the width is no multiple of 64.
func headsOf(width int) int {
	if n, ok := wideHeads[width]; ok {
		return n
	}
	if width%64 != 0 {
		return 0
	}
	return width / 64
}
