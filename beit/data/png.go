package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// pngFile is what stands before the pixels of a PNG file.
type pngFile struct {
	w, h       int
	depth      int // bits of a sample
	colour     pngColour
	interlaced bool
	palette    [256][3]uint8
	colours    int    // that the palette has
	data       []byte // the file from the length of its first chunk IDAT
}

// pngColour is the colour type of a PNG file.
type pngColour uint8

const (
	pngGrey      pngColour = 0
	pngRGB       pngColour = 2
	pngPalette   pngColour = 3
	pngGreyAlpha pngColour = 4
	pngRGBA      pngColour = 6
)

// pngSamples has the samples of a pixel of each colour type, and the depths that it may have.
var pngSamples = map[pngColour]struct {
	n      int
	depths string
}{
	pngGrey: {1, "\x01\x02\x04\x08\x10"}, pngRGB: {3, "\x08\x10"}, pngPalette: {1, "\x01\x02\x04\x08"},
	pngGreyAlpha: {2, "\x08\x10"}, pngRGBA: {4, "\x08\x10"},
}

// bits returns the bits of a pixel.
func (p *pngFile) bits() int { return pngSamples[p.colour].n * p.depth }

// rowBytes returns the bytes of a row of w pixels.
func (p *pngFile) rowBytes(w int) int { return int((int64(w)*int64(p.bits()) + 7) / 8) }

// pngSize reads the size of a PNG file.
func pngSize(content []byte) (w, h int, err error) {
	p, err := parsePNG(content)
	if err != nil {
		return 0, 0, err
	}
	return p.w, p.h, nil
}

// parsePNG reads the chunks before the pixels. Chunks that the pixels do not need may be broken, and chunks may be where they do not belong.
func parsePNG(content []byte) (*pngFile, error) {
	p := &pngFile{palette: greyRamp()}
	for rest := content[min(8, len(content)):]; ; {
		c, after, err := nextChunk(rest)
		if err != nil {
			return nil, err
		}
		switch c.name {
		case "IHDR":
			err = p.readHeader(c)
		case "PLTE":
			err = p.readPalette(c)
		case "IDAT":
			if p.w == 0 {
				return nil, errors.New("the header IHDR is missing")
			}
			p.data = rest
			return p, nil
		case "IEND":
			return nil, errors.New("the pixels (IDAT) are missing")
		}
		if err != nil {
			return nil, err
		}
		rest = after
	}
}

// pngChunk is a part of a PNG file.
type pngChunk struct {
	name   string
	body   []byte // shorter than announced where the file ends
	summed []byte // name and body, and the checksum of both; nil where the file ends before it
}

const pngSum = 4 // bytes of the checksum

// ok reports whether the chunk is whole and its checksum is right. Only this reads all of the chunk.
func (c pngChunk) ok() bool {
	end := len(c.summed) - pngSum
	return end > 0 && crc32.ChecksumIEEE(c.summed[:end]) == binary.BigEndian.Uint32(c.summed[end:])
}

// nextChunk splits a chunk off.
func nextChunk(b []byte) (c pngChunk, rest []byte, err error) {
	const head = 8
	if len(b) < head {
		return c, nil, io.ErrUnexpectedEOF
	}
	c.name = string(b[4:head])
	for _, letter := range b[4:head] {
		if letter |= 'a' - 'A'; letter < 'a' || letter > 'z' {
			return c, nil, fmt.Errorf("a chunk has the name %q", c.name)
		}
	}
	size := uint64(binary.BigEndian.Uint32(b))
	c.body = b[head:min(head+size, uint64(len(b)))]
	end := head + size + pngSum
	if end > uint64(len(b)) {
		return c, nil, nil
	}
	c.summed = b[4:end]
	return c, b[end:], nil
}

func (p *pngFile) readHeader(c pngChunk) error {
	const size = 13
	if !c.ok() || len(c.body) < size {
		return errors.New("the header IHDR is damaged: its checksum is wrong")
	}
	w, h := binary.BigEndian.Uint32(c.body), binary.BigEndian.Uint32(c.body[4:])
	if w < 1 || h < 1 || w > 1<<31-1 || h > 1<<31-1 {
		return fmt.Errorf("size %dx%d", w, h)
	}
	p.w, p.h = int(w), int(h)
	p.depth, p.colour, p.interlaced = int(c.body[8]), pngColour(c.body[9]), c.body[12] != 0
	for _, depth := range pngSamples[p.colour].depths {
		if int(depth) == p.depth {
			if c.body[11] != 0 {
				return fmt.Errorf("filter method %d is not read", c.body[11])
			}
			return nil
		}
	}
	return fmt.Errorf("colour type %d with %d bits is not read", p.colour, p.depth)
}

// readPalette takes as many colours as there are. Other colour types than that of palettes do not look at them.
func (p *pngFile) readPalette(c pngChunk) error {
	if !c.ok() {
		return errors.New("the palette PLTE is damaged: its checksum is wrong")
	}
	if len(c.body) > 3*len(p.palette)+2 && p.colour == pngPalette {
		return fmt.Errorf("a palette of %d colours", len(c.body)/3)
	}
	p.colours = min(len(c.body)/3, len(p.palette))
	for i := range p.colours {
		p.palette[i] = [3]uint8(c.body[3*i:])
	}
	return nil
}

// pngData reads the compressed pixels: the bodies of consecutive chunks IDAT. Their checksums do not matter while they are read.
type pngData struct {
	body, rest []byte
	padding    []byte // stands behind the last chunk
}

func (d *pngData) fill() error {
	for len(d.body) == 0 {
		c, rest, err := nextChunk(d.rest)
		if err == nil && c.name == "IDAT" {
			d.body, d.rest = c.body, rest
			continue
		}
		if len(d.padding) == 0 {
			return io.EOF
		}
		d.body, d.rest, d.padding = d.padding, nil, nil
	}
	return nil
}

// Read implements io.Reader.
func (d *pngData) Read(p []byte) (int, error) {
	if err := d.fill(); err != nil {
		return 0, err
	}
	n := copy(p, d.body)
	d.body = d.body[n:]
	return n, nil
}

// ReadByte implements io.ByteReader.
func (d *pngData) ReadByte() (byte, error) {
	if err := d.fill(); err != nil {
		return 0, err
	}
	b := d.body[0]
	d.body = d.body[1:]
	return b, nil
}

// pngPixels takes the rows of a PNG file.
type pngPixels interface {
	// put takes a row of w pixels as the file stores them: those of row y in the columns x, x+dx and so on. The rows are whole where dx is 1.
	put(row []uint8, x, y, dx, w int)
	// bytes are all pixels.
	bytes() []uint8
}

// decodePNG decodes a PNG file to RGB.
func decodePNG(content []byte) (Image, error) {
	p, err := parsePNG(content)
	if err != nil {
		return nil, err
	}
	px, err := decodePNGPixels(p, newPNGColours)
	if err != nil {
		return nil, err
	}
	return px.m, nil
}

// decodePNGPixels decodes the pixels of a PNG file. What follows the last row does not matter: data that are too many, a missing checksum, a missing
// end.
func decodePNGPixels[P pngPixels](p *pngFile, empty func(*pngFile) P) (none P, err error) {
	const longest = 1 << 28 // bytes of a row
	if p.rowBytes(p.w) > longest {
		return none, fmt.Errorf("rows of %d pixels with %d bits", p.w, p.bits())
	}
	m := empty(p)
	missing, err := p.decode(m, nil)
	if err == nil {
		return m, nil
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) || missing > pngPaddingMost {
		return none, err
	}
	// The decompressor may want more bits than the last row needs. They do not matter if any will do.
	zeros, ones := empty(p), empty(p)
	if _, err0 := p.decode(zeros, []byte{0, 0}); err0 != nil {
		return none, err
	}
	if _, err1 := p.decode(ones, []byte{255, 255}); err1 != nil || !bytes.Equal(zeros.bytes(), ones.bytes()) {
		return none, err
	}
	return zeros, nil
}

// pngPaddingMost is more than two bytes of deflate and a code that they complete can stand for: 258 bytes each bit.
const pngPaddingMost = 17 * 258

// decode decodes the pixels into m, with padding behind the compressed data. missing is how many bytes of rows were not read.
func (p *pngFile) decode(m pngPixels, padding []byte) (missing int64, err error) {
	z, err := zlib.NewReader(&pngData{rest: p.data, padding: padding})
	if err != nil {
		return 0, fmt.Errorf("pixels: %w", err)
	}
	rows := newPNGRows(z, p)
	if p.interlaced {
		err = p.readPasses(m, rows)
	} else {
		err = p.readRows(m, rows)
	}
	if err == nil {
		var n int
		n, err = z.Read(make([]byte, 1))
		if n > 0 || !errors.Is(err, zlib.ErrChecksum) || p.chunksWhole() {
			return 0, nil // a wrong sum alone is a slip of the writer: the chunks have sums of their own
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the file is cut short: row %d of %d is missing: %w", rows.done, p.h, io.ErrUnexpectedEOF)
		return p.allRowBytes() - rows.read, err
	}
	return 0, fmt.Errorf("the pixels are damaged: %w", err)
}

// chunksWhole reports whether the checksums of all chunks with pixels are right.
func (p *pngFile) chunksWhole() bool {
	for rest := p.data; ; {
		c, after, err := nextChunk(rest)
		if err != nil || c.name != "IDAT" {
			return true
		}
		if !c.ok() {
			return false
		}
		rest = after
	}
}
