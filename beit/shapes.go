package beit

import (
	"fmt"
	"math"
	"strings"
)

// shapeReader looks up shapes of a model's parameters by name, and remembers the first that is missing.
type shapeReader struct {
	shapes map[string][]int
	err    error
}

// get returns the shape of a tensor of that many axes.
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

// patch returns the shape (width, channels, P, P) of the convolution that embeds patches.
func (r *shapeReader) patch(name string) []int {
	shape := r.get(name, 4)
	if r.err == nil && shape[2] != shape[3] {
		r.err = fmt.Errorf("tensor %s has shape %v, wanted are square patches", name, shape)
	}
	return shape
}

// count is the number of different children of a list, such as "blocks.".
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

// MLPRatio is a ratio that gives hidden when it is multiplied by width and rounded down.
func MLPRatio(hidden, width int) float64 {
	r := float64(hidden) / float64(max(width, 1))
	for int(float64(width)*r) < hidden && !math.IsInf(r, 1) && width > 0 {
		r = math.Nextafter(r, math.Inf(1))
	}
	return r
}

// headsOf is the number of heads of 64 that fill a width, 0 where none does.
func headsOf(width int) int {
	if width%64 != 0 {
		return 0
	}
	return width / 64
}
