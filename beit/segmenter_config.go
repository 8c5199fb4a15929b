package beit

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Heads of a Segmenter.
const (
	HeadUperNet = "upernet"
	HeadLinear  = "linear"
)

// Rules of SegmenterConfig.Taps.
const (
	TapsOfficial = "official"
	TapsHF       = "hf"
)

// SegmenterConfig is the configuration of a network for semantic segmentation.
type SegmenterConfig struct {
	ViT          ViTConfig `toml:"vit"` // classes, mean_pool and init_scale are not used
	Head         string    `toml:"head" oneof:"upernet linear" help:"upernet: feature pyramid and pyramid pooling; linear: batch norm and a 1x1 convolution on the patch tokens of the last block"`
	Taps         string    `toml:"taps" help:"the blocks whose patch tokens the upernet head sees: official (1/3, 1/2, 2/3 of the depth and the last), hf (two blocks earlier, as transformers takes them), or four numbers from 0, such as 3,5,7,11"`
	HeadChannels int       `toml:"head_channels" range:"[0,)" help:"channels of the upernet head; published models have the backbone's width"`
	AuxChannels  int       `toml:"aux_channels" range:"[0,)" help:"channels of the auxiliary head, which training alone uses; 0: none"`
	Dropout      float64   `toml:"dropout" range:"[0,1)" help:"part of the channels before the last convolution of a head that a step of training drops"`
	Classes      int       `toml:"classes" range:"[0,)" help:"outputs; 0: as many as the masks have"`
}

// levels is the number of feature levels.
const levels = 4

// TapBlocks returns the blocks, from 0, whose patch tokens become the feature levels, the finest level first.
//
// The official rule is that of the authors' configurations, 3, 5, 7, 11 of 12 and 7, 11, 15, 23 of 24 blocks. For other depths it is rounded.
// The rule of transformers counts hidden states, of which the first is the embedding, and starts one too early: its blocks are 1, 3, 5, 9 of 12.
func (c SegmenterConfig) TapBlocks() ([]int, error) {
	switch n := c.ViT.Depth; c.Taps {
	case TapsOfficial, TapsHF:
		taps := make([]int, levels)
		for i, part := range []float64{1. / 3, 1. / 2, 2. / 3, 1} {
			if taps[i] = max(int(math.Round(part*float64(n)))-1, 0); c.Taps == TapsHF {
				taps[i] -= 2
			}
		}
		if taps[0] < 0 {
			return nil, fmt.Errorf("taps = %q: needs a depth of at least 8, it is %d: give four numbers of blocks", c.Taps, n)
		}
		return taps, nil
	}
	return c.listedTaps()
}

// listedTaps reads taps that are four numbers.
func (c SegmenterConfig) listedTaps() (taps []int, err error) {
	for _, part := range strings.Split(c.Taps, ",") {
		i, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || i < 0 || i >= c.ViT.Depth {
			return nil, fmt.Errorf("taps = %q: must be %s, %s or %d numbers of blocks, 0 … %d", c.Taps, TapsOfficial, TapsHF, levels, c.ViT.Depth-1)
		}
		taps = append(taps, i)
	}
	if len(taps) != levels || !slices.IsSorted(taps) {
		return nil, fmt.Errorf("taps = %q: must be %d numbers in rising order", c.Taps, levels)
	}
	return taps, nil
}

// TapsText is the form of Taps for a list of blocks: the official rule's name where it gives these.
func TapsText(depth int, blocks []int) string {
	c := SegmenterConfig{ViT: ViTConfig{Depth: depth}}
	for _, c.Taps = range []string{TapsOfficial, TapsHF} {
		if taps, err := c.TapBlocks(); err == nil && slices.Equal(taps, blocks) {
			return c.Taps
		}
	}
	var parts []string
	for _, b := range blocks {
		parts = append(parts, strconv.Itoa(b))
	}
	return strings.Join(parts, ",")
}

// strides returns the factors between the grid of patches and the feature levels: 4 makes a level of four times the side, -2 one of half of it.
// Level 0 has about a quarter of the image's side, and each next one half of the one before.
func (c SegmenterConfig) strides() [levels]int {
	switch p := c.ViT.PatchSize; {
	case p <= 4:
		return [levels]int{1, -2, -4, -8}
	case p <= 8:
		return [levels]int{2, 1, -2, -4}
	}
	return [levels]int{4, 2, 1, -2}
}

// Check returns an error that names the wrong keys, or nil. Classes may be 0, as long as they are not known.
func (c SegmenterConfig) Check() error {
	err := c.ViT.Check()
	if err != nil {
		return fmt.Errorf("vit: %w", err)
	}
	if c.Classes < 0 {
		err = errors.Join(err, fmt.Errorf("classes = %d: must not be negative", c.Classes))
	}
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		err = errors.Join(err, fmt.Errorf("dropout = %g: must be in [0, 1)", c.Dropout))
	}
	if c.Head == HeadLinear {
		return err
	}
	if c.Head != HeadUperNet {
		return errors.Join(err, fmt.Errorf("head = %q: must be one of %s, %s", c.Head, HeadUperNet, HeadLinear))
	}
	if c.HeadChannels < 1 || c.AuxChannels < 0 {
		err = errors.Join(err, fmt.Errorf("head_channels = %d, aux_channels = %d: the first must be at least 1, the other not negative", c.HeadChannels, c.AuxChannels))
	}
	if _, wrong := c.TapBlocks(); wrong != nil {
		err = errors.Join(err, wrong)
	}
	if least := -min(c.strides()[levels-1], -1); min(c.ViT.GridSize()) < least {
		err = errors.Join(err, fmt.Errorf("vit.image_size = %d: has %d patches a side, the coarsest level needs at least %d", c.ViT.ImageSize, min(c.ViT.GridSize()), least))
	}
	return err
}

// ViTConfig is the configuration of the backbone.
func (c *SegmenterConfig) ViTConfig() ViTConfig { return c.ViT }
