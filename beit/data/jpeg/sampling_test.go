package jpeg

import (
	"fmt"
	"testing"
)

// flatFile writes a JPEG file without Huffman tables, in which block i of a component, in the order of the file, has one value. Components are red,
// green and blue.
func flatFile(w, h int, factors [][2]int, value func(component, i int) uint8) []byte {
	b := []byte{0xff, soi, 0xff, dqt, 0, 67, 0}
	for range 64 {
		b = append(b, 8)
	}
	n := len(factors)
	b = append(b, 0xff, sof0, 0, byte(8+3*n), 8, byte(h>>8), byte(h), byte(w>>8), byte(w), byte(n))
	hMax, vMax := 0, 0
	for i, f := range factors {
		b = append(b, "RGB"[i], byte(f[0]<<4|f[1]), 0)
		hMax, vMax = max(hMax, f[0]), max(vMax, f[1])
	}
	b = append(b, 0xff, sos, 0, byte(6+2*n), byte(n))
	for i := range factors {
		b = append(b, "RGB"[i], 0)
	}
	b = append(b, 0, 63, 0)
	out := bitWriter{}
	before, count := make([]int, n), make([]int, n)
	for range ceilDiv(w, 8*hMax) * ceilDiv(h, 8*vMax) {
		for c, f := range factors {
			for range f[0] * f[1] {
				v := int(value(c, count[c])) - 128
				out.flat(v - before[c])
				before[c], count[c] = v, count[c]+1
			}
		}
	}
	out.write(0x7f, 7)
	return append(append(b, out.data...), 0xff, eoi)
}

// bitWriter writes entropy-coded data.
type bitWriter struct {
	data   []byte
	acc, n uint
}

func (w *bitWriter) write(bits, n uint) {
	w.acc, w.n = w.acc<<n|bits, w.n+n
	for w.n >= 8 {
		w.n -= 8
		v := byte(w.acc >> w.n)
		if w.data = append(w.data, v); v == 0xff {
			w.data = append(w.data, 0)
		}
	}
}

// flat writes a block by the first standard tables: the difference of its first coefficient, and the end of the block.
func (w *bitWriter) flat(diff int) {
	size, bits := uint(0), diff
	for v := max(diff, -diff); v > 0; v >>= 1 {
		size++
	}
	if diff < 0 {
		bits += 1<<size - 1
	}
	code, length := codeOf(standardDC[0].counts, standardDC[0].symbols, byte(size))
	w.write(code, length)
	w.write(uint(bits), size)
	w.write(codeOf(standardAC[0].counts, standardAC[0].symbols, 0))
}

// codeOf returns the code of a symbol.
func codeOf(counts, symbols []byte, symbol byte) (code, length uint) {
	k := 0
	for i, n := range counts {
		for range n {
			if symbols[k] == symbol {
				return code, uint(i + 1)
			}
			k, code = k+1, code+1
		}
		code <<= 1
	}
	panic(fmt.Sprintf("no code for symbol %d", symbol))
}

// TestFractionalSampling uses factors that libjpeg refuses: two samples for three pixels, and more than ten blocks in an MCU. Each pixel has the
// sample under it.
func TestFractionalSampling(t *testing.T) {
	for _, factors := range [][][2]int{
		{{3, 3}, {2, 2}, {1, 3}},
		{{3, 1}, {2, 1}, {2, 1}},
		{{4, 4}, {3, 1}, {4, 4}},
		{{2, 3}, {3, 2}, {1, 1}},
		{{4, 1}, {1, 4}, {3, 3}},
	} {
		const w, h = 61, 53
		value := func(c, i int) uint8 { return uint8(40 + 53*c + 37*i%200) }
		m, err := Decode(flatFile(w, h, factors, value), 1)
		if err != nil {
			t.Errorf("%v: %v", factors, err)
			continue
		}
		got := pixels(m)
		hMax, vMax := 0, 0
		for _, f := range factors {
			hMax, vMax = max(hMax, f[0]), max(vMax, f[1])
		}
		for i, v := range got {
			c, x, y := i%3, i/3%w, i/3/w
			if want := value(c, blockAt(x, y, w, factors[c], hMax, vMax)); v != want {
				t.Errorf("%v: channel %d at %d, %d is %d, want %d", factors, c, x, y, v, want)
				break
			}
		}
	}
}

// blockAt returns the number of the block under a pixel in the order of the file.
func blockAt(x, y, w int, f [2]int, hMax, vMax int) int {
	bx, by := x*f[0]/hMax/8, y*f[1]/vMax/8
	mcu := by/f[1]*ceilDiv(w, 8*hMax) + bx/f[0]
	return mcu*f[0]*f[1] + by%f[1]*f[0] + bx%f[0]
}
