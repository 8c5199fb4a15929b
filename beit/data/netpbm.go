package data

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// netpbmFile is the header of a Netpbm file: PBM, PGM or PPM, plain or raw.
type netpbmFile struct {
	w, h    int
	maxval  int // the value of full light; 1 in PBM, where it is black
	samples int // of a pixel
	plain   bool
	data    []byte // behind the header
}

// netpbmSize reads the size of a Netpbm file.
func netpbmSize(content []byte) (w, h int, err error) {
	p, err := parseNetpbm(content)
	if err != nil {
		return 0, 0, err
	}
	return p.w, p.h, nil
}

func parseNetpbm(content []byte) (*netpbmFile, error) {
	if len(content) < 3 {
		return nil, io.ErrUnexpectedEOF
	}
	magic := content[1]
	if magic == '7' {
		return nil, errors.New("this is a PAM file (P7), which is not read: convert it with pamtopnm")
	}
	p := &netpbmFile{maxval: 1, samples: 1, plain: magic <= '3'}
	if magic == '3' || magic == '6' {
		p.samples = 3
	}
	tokens := netpbmTokens{content[2:]}
	fields := []struct {
		name  string
		value *int
		most  int
	}{{"width", &p.w, 1<<31 - 1}, {"height", &p.h, 1<<31 - 1}, {"largest value", &p.maxval, 1<<16 - 1}}
	if p.bitmap(magic) {
		fields = fields[:2]
	}
	for _, f := range fields {
		n, err := tokens.number()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if n < 1 || n > f.most {
			return nil, fmt.Errorf("%s %d: it should be from 1 to %d", f.name, n, f.most)
		}
		*f.value = n
	}
	p.data = tokens.rest
	return p, nil
}

// bitmap reports whether pixels are single bits without a largest value.
func (p *netpbmFile) bitmap(magic byte) bool { return magic == '1' || magic == '4' }

// netpbmTokens splits the texts of a header or of plain pixels.
type netpbmTokens struct{ rest []byte }

const netpbmSpace = " \t\n\v\f\r"

// skip passes over white space and comments.
func (t *netpbmTokens) skip() {
	for len(t.rest) > 0 {
		switch c := t.rest[0]; {
		case strings.IndexByte(netpbmSpace, c) >= 0:
			t.rest = t.rest[1:]
		case c == '#':
			for len(t.rest) > 0 && t.rest[0] != '\n' && t.rest[0] != '\r' {
				t.rest = t.rest[1:]
			}
		default:
			return
		}
	}
}

// number reads a decimal number and the one white space that ends it.
func (t *netpbmTokens) number() (n int, err error) {
	t.skip()
	const longest = 10
	for digits := 0; len(t.rest) > 0; digits++ {
		c := t.rest[0]
		switch {
		case '0' <= c && c <= '9' && digits < longest:
			n = min(10*n+int(c-'0'), math.MaxInt32)
		case digits > 0 && strings.IndexByte(netpbmSpace, c) >= 0:
			t.rest = t.rest[1:]
			return n, nil
		case digits > 0 && c == '#':
			return n, nil
		default:
			return 0, fmt.Errorf("%q is in the place of a number", c)
		}
		t.rest = t.rest[1:]
		if len(t.rest) == 0 {
			return n, nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}

// bit reads a pixel of a plain PBM file, which needs no white space.
func (t *netpbmTokens) bit() (int, error) {
	t.skip()
	if len(t.rest) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	c := t.rest[0]
	if c != '0' && c != '1' {
		return 0, fmt.Errorf("%q is in the place of a pixel", c)
	}
	t.rest = t.rest[1:]
	return int(c - '0'), nil
}

// decodeNetpbm decodes a Netpbm file.
func decodeNetpbm(content []byte) (Image, error) {
	p, err := parseNetpbm(content)
	if err != nil {
		return nil, err
	}
	bitmap := p.bitmap(content[1])
	if need := p.bytes(bitmap); need > int64(len(p.data)) {
		return nil, fmt.Errorf("%d bytes are too few for %dx%d pixels", len(content), p.w, p.h)
	}
	m := NewRGB(p.w, p.h)
	next := p.reader(bitmap)
	levels := p.levels(bitmap)
	for y := range p.h {
		row := m.row(y, 0, p.w)
		for x := 0; x < len(row); x += 3 {
			for s := range 3 {
				if s >= p.samples {
					row[x+s] = row[x]
					continue
				}
				v, err := next(x/3, y, s)
				if err == nil && v > p.maxval && p.plain {
					err = fmt.Errorf("the value %d is larger than %d", v, p.maxval)
				}
				if err != nil {
					return nil, fmt.Errorf("row %d of %d: %w", y, p.h, err)
				}
				row[x+s] = levels[min(v, p.maxval)]
			}
		}
	}
	return m, nil
}

// bytes returns how many bytes the pixels need at least.
func (p *netpbmFile) bytes(bitmap bool) int64 {
	values := int64(p.w) * int64(p.h) * int64(p.samples)
	switch {
	case p.plain:
		return values
	case bitmap:
		return (int64(p.w) + 7) / 8 * int64(p.h)
	case p.maxval > 255:
		return 2 * values
	}
	return values
}

// reader returns the function that reads a sample. Of plain files it reads one after the other.
func (p *netpbmFile) reader(bitmap bool) func(x, y, sample int) (int, error) {
	tokens := netpbmTokens{p.data}
	switch {
	case p.plain && bitmap:
		return func(_, _, _ int) (int, error) { return tokens.bit() }
	case p.plain:
		return func(_, _, _ int) (int, error) { return tokens.number() }
	case bitmap:
		stride := (p.w + 7) / 8
		return func(x, y, _ int) (int, error) { return int(p.data[y*stride+x/8] >> (7 - x%8) & 1), nil }
	case p.maxval > 255:
		return func(x, y, s int) (int, error) {
			b := p.data[2*((y*p.w+x)*p.samples+s):]
			return int(b[0])<<8 | int(b[1]), nil
		}
	}
	return func(x, y, s int) (int, error) { return int(p.data[(y*p.w+x)*p.samples+s]), nil }
}

// levels has the light of each value. Colours are scaled to 8 bits. Grey of more is scaled to 16 bits, which are cut to the higher 8.
func (p *netpbmFile) levels(bitmap bool) []uint8 {
	if bitmap {
		return []uint8{255, 0}
	}
	levels := make([]uint8, p.maxval+1)
	for v := range levels {
		part := float64(v) / float64(p.maxval)
		if p.samples == 1 && p.maxval > 255 {
			levels[v] = uint8(int(math.RoundToEven(part*65535)) >> 8)
		} else {
			levels[v] = uint8(math.RoundToEven(part * 255))
		}
	}
	return levels
}
