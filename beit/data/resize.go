package data

import (
	"fmt"
	"image"
	"math"
	"sync"
)

// Filter is a resampling filter.
type Filter int

// The filters of Resize. Bicubic has a = -0.5, Lanczos three lobes.
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

// String is "bilinear", "bicubic" or "lanczos".
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

// precision is the number of fractional bits of the weights; the sum of a window's weights times 255
// then fits 31 bits with room for the overshoot of the filters.
const precision = 22

// Resize returns the part box of m resampled to w x h with the filter, as Pillow does it: rows first,
// then columns, antialiased, with 22-bit weights and 8-bit pixels in between. No pixel outside box has
// an influence. It panics when box is empty or leaves m.
func Resize(m *Image, box image.Rectangle, w, h int, f Filter) *Image {
	return resizeWindow(m, box, w, h, f, image.Rect(0, 0, w, h))
}

// scratch is the working memory of a resize, reused between calls.
type scratch struct {
	columns, rows taps
	rgb           []uint8
	sums          []int32
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// resizeWindow computes only the part window of what Resize returns.
func resizeWindow(p Picture, box image.Rectangle, w, h int, f Filter, window image.Rectangle) *Image {
	if box.Empty() || !box.In(boundsOf(p)) {
		panic(fmt.Sprintf("data: Resize: box %v of a picture of %v", box, boundsOf(p).Max))
	}
	if window.Empty() || !window.In(image.Rect(0, 0, w, h)) {
		panic(fmt.Sprintf("data: Resize: window %v of a result of %dx%d", window, w, h))
	}
	out := NewImage(window.Dx(), window.Dy())
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.columns.fill(box.Dx(), w, window.Min.X, window.Max.X, f)
	s.rows.fill(box.Dy(), h, window.Min.Y, window.Max.Y, f)
	first, last := s.rows.reach()
	left, right := s.columns.reach()
	m, at := cut(p, image.Rect(left, first, right, last).Add(box.Min))
	s.rgb = resized(s.rgb, 3*out.W*(last-first))
	for y := first; y < last; y++ {
		dst := s.rgb[3*out.W*(y-first) : 3*out.W*(y-first+1)]
		src := m.row(at.Min.Y+y-first, at.Min.X, at.Max.X)
		if box.Dx() == w {
			copy(dst, src[3*(window.Min.X-left):]) // every window is the pixel itself
			continue
		}
		s.columns.row(dst, src, left)
	}
	s.sums = resized(s.sums, 3*out.W)
	for y := range out.H {
		from, weights := s.rows.at(y)
		dst := out.row(y, 0, out.W)
		if box.Dy() == h {
			copy(dst, s.rgb[3*out.W*(window.Min.Y+y-first):])
			continue
		}
		combine(dst, s.sums, s.rgb[3*out.W*(from-first):], weights)
	}
	return out
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// taps holds, for each output position, the input positions it is made from and their weights.
type taps struct {
	from    []int   // first input position
	end     []int   // end of its weights; they start where those of the position before end
	weights []int32 // with precision fractional bits
	real    []float64
}

// fill computes the taps of output positions lo to hi of n, for inputs 0 to in.
func (t *taps) fill(in, n, lo, hi int, f Filter) {
	t.from, t.end, t.weights = t.from[:0], t.end[:0], t.weights[:0]
	scale := float64(in) / float64(n)
	shrink := max(scale, 1)
	support := filters[f].support * shrink
	inverse := 1 / shrink
	for i := lo; i < hi; i++ {
		centre := (float64(i) + 0.5) * scale
		from := max(int(centre-support+0.5), 0)
		end := min(int(centre+support+0.5), in)
		t.real = t.real[:0]
		sum := 0.0
		for x := from; x < end; x++ {
			w := filters[f].f((float64(x) - centre + 0.5) * inverse)
			t.real = append(t.real, w)
			sum += w
		}
		for _, w := range t.real {
			if sum != 0 {
				w /= sum
			}
			t.weights = append(t.weights, int32(w*(1<<precision)+math.Copysign(0.5, w)))
		}
		t.from = append(t.from, from)
		t.end = append(t.end, len(t.weights))
	}
}

// reach returns the range of inputs that the taps read.
func (t *taps) reach() (first, last int) {
	first, last = t.from[0], 0
	for i, from := range t.from {
		_, w := t.at(i)
		first, last = min(first, from), max(last, from+len(w))
	}
	return first, last
}

// at returns the first input of output i and its weights.
func (t *taps) at(i int) (from int, weights []int32) {
	start := 0
	if i > 0 {
		start = t.end[i-1]
	}
	return t.from[i], t.weights[start:t.end[i]]
}

// row resamples one row of RGB that starts at column left.
func (t *taps) row(dst, src []uint8, left int) {
	start := 0
	for i, from := range t.from {
		weights := t.weights[start:t.end[i]]
		start = t.end[i]
		pixels := src[3*(from-left) : 3*(from-left+len(weights))]
		var r, g, b int32 = 1 << (precision - 1), 1 << (precision - 1), 1 << (precision - 1)
		for _, w := range weights {
			p := pixels[:3:3]
			pixels = pixels[3:]
			r += w * int32(p[0])
			g += w * int32(p[1])
			b += w * int32(p[2])
		}
		out := dst[3*i : 3*i+3 : 3*i+3]
		out[0], out[1], out[2] = clip8(r>>precision), clip8(g>>precision), clip8(b>>precision)
	}
}

// combine sums len(weights) consecutive rows of src, each as long as dst, with the weights.
func combine(dst []uint8, sums []int32, src []uint8, weights []int32) {
	n := len(dst)
	sums = sums[:n]
	for i := range sums {
		sums[i] = 1 << (precision - 1)
	}
	for ; len(weights) >= 4; weights = weights[4:] {
		w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
		a, b, c, d := src[:n], src[n:2*n], src[2*n:3*n], src[3*n:4*n]
		src = src[4*n:]
		for i := range sums {
			sums[i] += w0*int32(a[i]) + w1*int32(b[i]) + w2*int32(c[i]) + w3*int32(d[i])
		}
	}
	for _, w := range weights {
		a := src[:n]
		src = src[n:]
		for i := range sums {
			sums[i] += w * int32(a[i])
		}
	}
	for i, s := range sums {
		dst[i] = clip8(s >> precision)
	}
}
