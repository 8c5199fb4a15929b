package data

import (
	"fmt"
	"image"
	"math"
	"sync"

	"github.com/gobeit/gobeit/beit/data/internal/resample"
)

// Filter is a resampling filter.
type Filter int

// The filters of Resize are those of Pillow. Bicubic has a = -0.5, Lanczos three lobes.
const (
	Bilinear Filter = iota
	Bicubic
	Lanczos
)

var filters = [...]struct {
	name    string
	support float64
	f       func(x float64) float64
}{
	Bilinear: {"bilinear", 1, triangle},
	Bicubic:  {"bicubic", 2, cubic},
	Lanczos:  {"lanczos", 3, lanczos},
}

// String returns "bilinear", "bicubic" or "lanczos".
func (f Filter) String() string { return filters[f].name }

// ParseFilter returns the filter called name.
func ParseFilter(name string) (Filter, error) {
	for f := range filters {
		if filters[f].name == name {
			return Filter(f), nil
		}
	}
	return 0, fmt.Errorf("filter %q: must be bilinear, bicubic or lanczos", name)
}

func triangle(x float64) float64 { return max(0, 1-math.Abs(x)) }

func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

func lanczos(x float64) float64 {
	if x <= -3 || x >= 3 {
		return 0
	}
	return sinc(x) * sinc(x/3)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// Resize crops box from m and resizes it to w x h, as Pillow's resize with a box does. It is antialiased and resizes rows first, then columns, with
// 22-bit weights and 8-bit pixels in between. Pixels outside box have no influence. Resize panics when box is empty or leaves m.
func Resize(m *RGB, box image.Rectangle, w, h int, f Filter) *RGB {
	return resizeWindow(m, box, w, h, f, image.Rect(0, 0, w, h))
}

// scratch is the working memory of a resize, reused between calls.
type scratch struct {
	columns, rows taps
	rgb           []uint8
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Shrink returns an image whose longer side has at most side pixels, and the shorter one at least one: m itself where it is small enough.
func Shrink(m *RGB, side int) *RGB {
	long := max(m.W, m.H)
	if long <= side {
		return m
	}
	return Resize(m, m.Bounds(), max(m.W*side/long, 1), max(m.H*side/long, 1), Bicubic)
}

// resizeWindow computes only the part window of what Resize returns.
func resizeWindow(m Image, box image.Rectangle, w, h int, f Filter, window image.Rectangle) *RGB {
	if box.Empty() || !box.In(boundsOf(m)) {
		panic(fmt.Sprintf("data: Resize: box %v of an image of %v", box, boundsOf(m).Max))
	}
	if window.Empty() || !window.In(image.Rect(0, 0, w, h)) {
		panic(fmt.Sprintf("data: Resize: window %v of a result of %dx%d", window, w, h))
	}
	out := NewRGB(window.Dx(), window.Dy())
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.columns.fill(box.Dx(), w, window.Min.X, window.Max.X, f)
	s.rows.fill(box.Dy(), h, window.Min.Y, window.Max.Y, f)
	first, last := s.rows.reach()
	left, right := s.columns.reach()
	s.rows.shift(first)
	s.columns.shift(left)
	part, at := cut(m, image.Rect(left, first, right, last).Add(box.Min))
	s.rgb = resized(s.rgb, 3*out.W*(last-first))
	for y := first; y < last; y++ {
		dst := s.rgb[3*out.W*(y-first) : 3*out.W*(y-first+1)]
		src := part.row(at.Min.Y+y-first, at.Min.X, at.Max.X)
		if box.Dx() == w {
			copy(dst, src[3*(window.Min.X-left):]) // each pixel is itself
			continue
		}
		resample.Row(dst, src, s.columns.from, s.columns.weights)
	}
	for y := range out.H {
		dst := out.row(y, 0, out.W)
		if box.Dy() == h {
			copy(dst, s.rgb[3*out.W*(window.Min.Y+y-first):])
			continue
		}
		from, weights := s.rows.at(y)
		resample.Column(dst, s.rgb[3*out.W*from:], weights)
	}
	return out
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// taps holds the input positions and their weights for each output position.
type taps struct {
	from    []int32 // first input position
	n       int     // number of inputs of one output
	weights []int32 // n for each output, with resample.Precision fractional bits
	windows [][2]int
	real    []float64
}

// fill computes the taps of output positions lo to hi of n, for inputs 0 to in. Windows shorter than the longest are padded with weights of 0.
func (t *taps) fill(in, n, lo, hi int, f Filter) {
	scale := float64(in) / float64(n)
	shrink := max(scale, 1)
	support := filters[f].support * shrink
	t.windows, t.n = t.windows[:0], 0
	for i := lo; i < hi; i++ {
		centre := (float64(i) + 0.5) * scale
		window := [2]int{max(int(centre-support+0.5), 0), min(int(centre+support+0.5), in)}
		t.windows = append(t.windows, window)
		t.n = max(t.n, window[1]-window[0])
	}
	t.from, t.weights = resized(t.from, hi-lo), resized(t.weights, t.n*(hi-lo))
	clear(t.weights)
	for i, window := range t.windows {
		from := min(window[0], in-t.n)
		t.from[i] = int32(from)
		weights := t.weights[i*t.n+window[0]-from : (i+1)*t.n]
		centre := (float64(lo+i) + 0.5) * scale
		t.weigh(weights, window, centre, 1/shrink, f)
	}
}

// weigh computes the weights of one window, which sum to 1.
func (t *taps) weigh(weights []int32, window [2]int, centre, inverse float64, f Filter) {
	t.real = t.real[:0]
	sum := 0.0
	for x := window[0]; x < window[1]; x++ {
		w := filters[f].f((float64(x) - centre + 0.5) * inverse)
		t.real = append(t.real, w)
		sum += w
	}
	for i, w := range t.real {
		if sum != 0 {
			w /= sum
		}
		weights[i] = int32(w*(1<<resample.Precision) + math.Copysign(0.5, w))
	}
}

// reach returns the range of inputs that the taps read.
func (t *taps) reach() (first, last int) {
	first, last = int(t.from[0]), 0
	for _, from := range t.from {
		first, last = min(first, int(from)), max(last, int(from)+t.n)
	}
	return first, last
}

// shift renumbers the inputs so that first becomes 0.
func (t *taps) shift(first int) {
	for i := range t.from {
		t.from[i] -= int32(first)
	}
}

// at returns the first input of output i and its weights.
func (t *taps) at(i int) (from int, weights []int32) {
	return int(t.from[i]), t.weights[i*t.n : (i+1)*t.n]
}
