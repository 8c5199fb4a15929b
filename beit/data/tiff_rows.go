package data

import (
	"fmt"
	"math"
)

// Values of tagPredictor.
const (
	predictNothing     = 1
	predictDifferences = 2 // to the sample on the left
	predictFloats      = 3 // the same of the bytes of numbers, which stand apart
)

// checkPredictor refuses predictors that are not read. Compressions without one ignore the tag: tools copy it along when they decompress.
func (f *tiffFile) checkPredictor() error {
	if f.compression != tiffLZW && f.compression != tiffDeflate && f.compression != tiffDeflateOld {
		f.predictor = predictNothing
	}
	wide := f.bits == 8 || f.bits == 16 || f.bits == 32
	if f.predictor <= predictNothing || f.predictor == predictDifferences && wide || f.predictor == predictFloats && f.format == tiffFloat {
		return nil
	}
	return fmt.Errorf("predictor %d with samples of %d bits is not read", f.predictor, f.bits)
}

// unpredict adds to each sample of a row the one on its left.
func (f *tiffFile) unpredict(line []byte) {
	samples := f.samples
	if f.separate {
		samples = 1
	}
	switch {
	case f.predictor == predictFloats:
		addLeft(line, samples)
		f.joinFloats(line)
	case f.predictor == predictDifferences && f.bits == 8:
		addLeft(line, samples)
	case f.predictor == predictDifferences && f.bits == 16:
		for i := 2 * samples; i+2 <= len(line); i += 2 {
			f.tags.order.PutUint16(line[i:], f.tags.order.Uint16(line[i:])+f.tags.order.Uint16(line[i-2*samples:]))
		}
	case f.predictor == predictDifferences:
		for i := 4 * samples; i+4 <= len(line); i += 4 {
			f.tags.order.PutUint32(line[i:], f.tags.order.Uint32(line[i:])+f.tags.order.Uint32(line[i-4*samples:]))
		}
	}
}

// addLeft adds to each byte the one that stands before it by a distance.
func addLeft(line []byte, distance int) {
	for i := distance; i < len(line); i++ {
		line[i] += line[i-distance]
	}
}

// joinFloats puts the bytes of each number together: a row has all first bytes, then all second ones, and so on.
func (f *tiffFile) joinFloats(line []byte) {
	apart := append([]byte(nil), line...)
	n := len(line) / 4
	for i := range n {
		v := uint32(apart[i])<<24 | uint32(apart[n+i])<<16 | uint32(apart[2*n+i])<<8 | uint32(apart[3*n+i])
		f.tags.order.PutUint32(line[4*i:], v)
	}
}

// expand converts the first pixels of a row to RGB.
func (f *tiffFile) expand(dst, line []byte) {
	step, sample := f.samples*f.bits/8, f.bits/8 // in bytes
	if f.bits == 16 && f.format == tiffUnsigned {
		line = line[f.high():]
	}
	switch {
	case f.photometric == tiffCMYK:
		for x := range len(dst) / 3 {
			p := line[x*step:]
			cmykRow(dst[3*x:3*x+3], []uint8{p[0], p[sample], p[2*sample], p[3*sample]})
		}
	case f.photometric == tiffRGB && f.samples > 3 && f.tags.number(tagExtraSamples, 0) == 1:
		divideAlpha(dst, line, step, sample)
	case f.photometric == tiffRGB:
		dropAlpha(dst, line, step, sample)
	default:
		f.expandOne(dst, line, step)
	}
}

// high is the position of the higher byte in a sample of 16 bits.
func (f *tiffFile) high() int {
	return int(f.tags.order.Uint16([]byte{0, 1})&1 ^ 1)
}

// expandOne converts pixels of which one sample counts: grey, or an index.
func (f *tiffFile) expandOne(dst, line []byte, step int) {
	for x := range len(dst) / 3 {
		var v uint8
		switch {
		case f.bits == 16 && f.format == tiffSigned:
			v = clip8(int32(int16(f.tags.order.Uint16(line[x*step:]))))
		case f.bits == 8 || f.bits == 16:
			v = line[x*step]
		case f.bits == 32:
			v = f.clip32(f.tags.order.Uint32(line[x*step:]))
		default:
			bit := x * f.bits
			v = line[bit/8] >> (8 - f.bits - bit%8) & uint8(1<<f.bits-1)
		}
		c := f.palette[v]
		if f.photometric != tiffPalette {
			v = f.light(v)
			c = [3]uint8{v, v, v}
		}
		copy(dst[3*x:3*x+3], c[:])
	}
}

// light scales grey of few bits, and inverts it where 0 is white.
func (f *tiffFile) light(v uint8) uint8 {
	if f.bits < 8 {
		v *= 255 / uint8(1<<f.bits-1)
	}
	if f.photometric == tiffWhiteIsZero && f.bits <= 16 && f.format == tiffUnsigned {
		v = 255 - v
	}
	return v
}

// clip32 cuts a number of 32 bits to 0..255, as Pillow does.
func (f *tiffFile) clip32(v uint32) uint8 {
	if f.format != tiffFloat {
		return clip8(int32(v)) // unsigned ones too
	}
	x := math.Float32frombits(v)
	if !(x > 0) { // NaN too
		return 0
	}
	return uint8(min(x, 255))
}
