package data

import (
	"fmt"
	"image"
	"slices"
)

// MaxChannels is how many channels images can have.
const MaxChannels = 16

// Bands normalises images of any number of channels: a value x of channel c, from 0 to 1, becomes (x - Mean[c]) / Std[c].
type Bands struct {
	Mean []float32 `json:"mean"`
	Std  []float32 `json:"std"`
}

// BandsOf gives n channels the normalisation of three: one channel the mean of theirs, and several theirs in turn. Weights of a patch embedding are
// shared out in the same order.
func BandsOf(n Norm, channels int) *Bands {
	b := &Bands{}
	for c := range channels {
		b.Mean, b.Std = append(b.Mean, n.Mean[c%3]), append(b.Std, n.Std[c%3])
	}
	if channels == 1 {
		b.Mean[0], b.Std[0] = (n.Mean[0]+n.Mean[1]+n.Mean[2])/3, (n.Std[0]+n.Std[1]+n.Std[2])/3
	}
	return b
}

// Channels makes images have so many channels, with the values that their files store, up to 16 bits each: samples hold a *Raster. PNG and TIFF files
// give their own channels; others are RGB. One channel of colours is their luma, three of grey are equal, and alpha is left out where the others are
// as many as wanted. Another number of channels is an error. Images are decoded whole, whatever Reduce says. It panics when n is not 1 to
// MaxChannels.
func Channels(n int) Option {
	if n < 1 || n > MaxChannels {
		panic(fmt.Sprintf("data: Channels: %d", n))
	}
	return func(s *settings) { s.channels = n }
}

// Size implements Image.
func (m *Raster) Size() (w, h int) { return m.W, m.H }

// Region implements Image: what people see of it, by the higher 8 bits of the first three channels, or the first one as grey.
func (m *Raster) Region(box image.Rectangle) *RGB {
	checkRegion(m, box)
	out := NewRGB(box.Dx(), box.Dy())
	most := uint32(1)<<m.Bits - 1
	for y := range out.H {
		row := out.row(y, 0, out.W)
		for x := range out.W {
			px := m.at(box.Min.X+x, box.Min.Y+y)
			for c := range 3 {
				v := px[0]
				if m.Channels >= 3 {
					v = px[c]
				}
				row[3*x+c] = uint8(uint32(v) * 255 / most)
			}
		}
	}
	return out
}

// With returns m with so many channels, by the rules of Channels: m itself where it has them.
func (m *Raster) With(channels int) (*Raster, error) {
	if m.Palette != nil {
		return m.colours().With(channels)
	}
	const grey, greyAlpha, rgb, rgba = 1, 2, 3, 4
	switch {
	case m.Channels == channels:
		return m, nil
	case channels == grey && (m.Channels == rgb || m.Channels == rgba):
		return m.mapped(channels, func(dst, px []uint16) {
			const scale, r, g, b = 1 << 16, 19595, 38470, 7471 // ITU-R 601, as Pillow has it
			dst[0] = uint16((uint64(px[0])*r + uint64(px[1])*g + uint64(px[2])*b + scale/2) / scale)
		}), nil
	case channels == rgb && m.Channels <= greyAlpha:
		return m.mapped(channels, func(dst, px []uint16) { dst[0], dst[1], dst[2] = px[0], px[0], px[0] }), nil
	case channels == rgb && m.Channels == rgba, channels == grey && m.Channels == greyAlpha:
		return m.mapped(channels, func(dst, px []uint16) { copy(dst, px) }), nil
	}
	return nil, fmt.Errorf("the image has %d channels, and %d are wanted", m.Channels, channels)
}

// mapped makes each pixel one of so many channels.
func (m *Raster) mapped(channels int, f func(dst, px []uint16)) *Raster {
	out := NewRaster(m.W, m.H, channels, m.Bits)
	for i := range m.W * m.H {
		f(out.Pix[i*channels:(i+1)*channels], m.Pix[i*m.Channels:(i+1)*m.Channels])
	}
	return out
}

// colours are those of a palette. An index beyond it is grey, as in Decode.
func (m *Raster) colours() *Raster {
	palette := greyRamp()
	copy(palette[:], m.Palette)
	out := NewRaster(m.W, m.H, 3, byteBits)
	for i, v := range m.Pix {
		for c, x := range palette[uint8(v)] {
			out.Pix[3*i+c] = uint16(x)
		}
	}
	return out
}

// bandImage is an image of values from 0 to 1, a plane for each channel.
type bandImage struct {
	w, h   int
	planes [][]float32 // h*w each
}

// resizedBands is resizeWindow for rasters: the same taps, with real weights and no rounding in between.
func resizedBands(m *Raster, box image.Rectangle, w, h int, f Filter, window image.Rectangle) *bandImage {
	if box.Empty() || !box.In(boundsOf(m)) {
		panic(fmt.Sprintf("data: Resize: box %v of an image of %v", box, boundsOf(m).Max))
	}
	out := &bandImage{w: window.Dx(), h: window.Dy()}
	columns := realTaps(box.Dx(), w, window.Min.X, window.Max.X, f)
	rows := realTaps(box.Dy(), h, window.Min.Y, window.Max.Y, f)
	first, last := rows[0].from, 0
	for _, t := range rows {
		first, last = min(first, t.from), max(last, t.from+len(t.weights))
	}
	scale := 1 / float64(uint32(1)<<m.Bits-1)
	across := make([]float64, (last-first)*out.w)
	for c := range m.Channels {
		for y := first; y < last; y++ {
			row := m.Pix[((box.Min.Y+y)*m.W+box.Min.X)*m.Channels:]
			for x, t := range columns {
				sum := 0.0
				for k, weight := range t.weights {
					sum += float64(weight * float64(row[(t.from+k)*m.Channels+c]))
				}
				across[(y-first)*out.w+x] = sum
			}
		}
		plane := make([]float32, out.w*out.h)
		for y, t := range rows {
			for x := range out.w {
				sum := 0.0
				for k, weight := range t.weights {
					sum += float64(weight * across[(t.from+k-first)*out.w+x])
				}
				plane[y*out.w+x] = float32(min(max(sum*scale, 0), 1))
			}
		}
		out.planes = append(out.planes, plane)
	}
	return out
}

// realTap is what one output position takes of the input.
type realTap struct {
	from    int
	weights []float64 // which sum to 1
}

// realTaps are those of outputs lo to hi of n, for inputs 0 to in, as taps.fill has them.
func realTaps(in, n, lo, hi int, f Filter) []realTap {
	scale := float64(in) / float64(n)
	shrink := max(scale, 1)
	support := filters[f].support * shrink
	list := make([]realTap, 0, hi-lo)
	for i := lo; i < hi; i++ {
		if in == n {
			list = append(list, realTap{i, []float64{1}})
			continue
		}
		centre := (float64(i) + 0.5) * scale
		from, to := max(int(centre-support+0.5), 0), min(int(centre+support+0.5), in)
		t := realTap{from: from, weights: make([]float64, to-from)}
		sum := 0.0
		for k := range t.weights {
			t.weights[k] = filters[f].f((float64(from+k) - centre + 0.5) / shrink)
			sum += t.weights[k]
		}
		for k := range t.weights {
			t.weights[k] /= sum
		}
		list = append(list, t)
	}
	return list
}

// write implements rendered.
func (m *bandImage) write(dst []float32, v View, flip bool) {
	b := v.Bands
	if len(dst) != len(m.planes)*m.w*m.h || len(b.Mean) != len(m.planes) {
		panic(fmt.Sprintf("data: %d values and a normalisation of %d channels for an image of [%d %d %d]", len(dst), len(b.Mean), len(m.planes), m.h, m.w))
	}
	for c, p := range m.planes {
		out := dst[c*len(p) : (c+1)*len(p)]
		for i, x := range p {
			out[i] = (x - b.Mean[c]) / b.Std[c]
		}
		for y := 0; flip && y < m.h; y++ {
			slices.Reverse(out[y*m.w : (y+1)*m.w])
		}
	}
}

// padCrop implements rendered.
func (m *bandImage) padCrop(pad, left, top int) rendered {
	out := &bandImage{w: m.w, h: m.h}
	for _, p := range m.planes {
		moved := make([]float32, len(p))
		for y := range m.h {
			for x := range m.w {
				moved[y*m.w+x] = p[reflect(top+y-pad, m.h)*m.w+reflect(left+x-pad, m.w)]
			}
		}
		out.planes = append(out.planes, moved)
	}
	return out
}
