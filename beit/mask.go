package beit

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// MaskConfig is the configuration of block-wise masking.
type MaskConfig struct {
	Rows     int `toml:"rows" help:"of the grid of patches; a run takes the model's"`
	Cols     int `toml:"cols" help:"of the grid of patches; a run takes the model's"`
	Count    int `toml:"count" help:"patches to mask, exactly"`
	MinBlock int `toml:"min_block" help:"smallest area of a rectangle"`
	MaxBlock int `toml:"max_block" help:"most patches that one rectangle may add; 0: count"`
}

// Lower bound of a rectangle's aspect ratio (the upper is its inverse), and attempts to place a rectangle.
const (
	maskAspect   = 0.3
	maskAttempts = 10
)

// BlockMask masks exactly cfg.Count patches as the authors' masking_generator.py does. It places rectangles of random area and aspect
// ratio until no more fit, then masks single patches. mask has Rows·Cols elements, row-major, and is overwritten. Count must not exceed
// its length.
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

// BlockMasks are the masks of several images, one after another, each drawn by the seed, the path and the image's number alone.
func BlockMasks(cfg MaskConfig, images []int, seed uint64, path ...uint64) []bool {
	n := cfg.Rows * cfg.Cols
	masks := make([]bool, len(images)*n)
	for i, image := range images {
		BlockMask(cfg, tensor.NewRand(seed, append(path[:len(path):len(path)], uint64(image))...), masks[i*n:(i+1)*n])
	}
	return masks
}

// placeBlock tries to mask one rectangle with at most room new patches, and returns the number of new patches.
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

// fillMask masks n more random patches.
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
