package beit

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// MaskConfig describes block-wise masking.
type MaskConfig struct {
	Rows     int `toml:"rows"`      // of the grid of patches
	Cols     int `toml:"cols"`      // of the grid of patches
	Count    int `toml:"count"`     // patches to mask, exactly
	MinBlock int `toml:"min_block"` // smallest area that a rectangle is drawn with
	MaxBlock int `toml:"max_block"` // most patches that one rectangle may add; 0: Count
}

// Bounds on a rectangle's height over width, and attempts to place one.
const (
	maskAspect   = 0.3
	maskAttempts = 10
)

// BlockMask masks exactly cfg.Count patches as the authors' masking_generator.py does: rectangles of random area and shape until
// no more fits, then single patches. mask has Rows·Cols elements, row-major, and is overwritten. Count must not exceed them.
func BlockMask(cfg MaskConfig, r *tensor.Rand, mask []bool) {
	if len(mask) != cfg.Rows*cfg.Cols || cfg.Count > len(mask) {
		panic(fmt.Sprintf("beit: BlockMask: %d of %d x %d patches into a mask of %d", cfg.Count, cfg.Rows, cfg.Cols, len(mask)))
	}
	clear(mask)
	largest := cfg.MaxBlock
	if largest == 0 {
		largest = cfg.Count
	}
	done := 0
	for done < cfg.Count {
		added := placeBlock(cfg, r, mask, min(cfg.Count-done, largest))
		if added == 0 {
			break
		}
		done += added
	}
	fillMask(r, mask, cfg.Count-done)
}

// placeBlock tries to mask one rectangle that adds at most room patches, and returns how many it added.
func placeBlock(cfg MaskConfig, r *tensor.Rand, mask []bool, room int) int {
	for range maskAttempts {
		area := r.Uniform(float64(cfg.MinBlock), float64(room)) // bounds may be reversed
		aspect := math.Exp(r.Uniform(math.Log(maskAspect), math.Log(1/maskAspect)))
		h := int(math.RoundToEven(math.Sqrt(area * aspect)))
		w := int(math.RoundToEven(math.Sqrt(area / aspect)))
		if w >= cfg.Cols || h >= cfg.Rows {
			continue
		}
		top, left := r.IntN(cfg.Rows-h+1), r.IntN(cfg.Cols-w+1)
		added := 0
		for y := top; y < top+h; y++ {
			for x := left; x < left+w; x++ {
				if !mask[y*cfg.Cols+x] {
					added++
				}
			}
		}
		if added == 0 || added > room {
			continue
		}
		for y := top; y < top+h; y++ {
			for x := left; x < left+w; x++ {
				mask[y*cfg.Cols+x] = true
			}
		}
		return added
	}
	return 0
}

// fillMask masks n more patches at random.
func fillMask(r *tensor.Rand, mask []bool, n int) {
	if n == 0 {
		return
	}
	var free []int
	for i, on := range mask {
		if !on {
			free = append(free, i)
		}
	}
	r.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	for _, i := range free[:n] {
		mask[i] = true
	}
}
