package data

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// bmpFile is what stands before the pixels of a BMP file.
type bmpFile struct {
	w, h    int
	topDown bool
	bits    int // of a pixel
	coding  bmpCoding
	masks   [3]uint32 // of red, green and blue, in pixels of 16 and 32 bits
	palette [256][3]uint8
	data    []byte // the file from its first pixel
}

// bmpCoding is the compression of a BMP file.
type bmpCoding uint32

const (
	bmpPlain     bmpCoding = 0
	bmpRLE8      bmpCoding = 1
	bmpRLE4      bmpCoding = 2
	bmpBitfields bmpCoding = 3
)

const bmpFileHeader = 14 // bytes before the header proper

// bmpSize reads the size of a BMP file.
func bmpSize(content []byte) (w, h int, err error) {
	b, err := parseBMP(content)
	if err != nil {
		return 0, 0, err
	}
	return b.w, b.h, nil
}

// parseBMP reads the headers of Windows and OS/2, and the palette.
func parseBMP(content []byte) (*bmpFile, error) {
	if len(content) < bmpFileHeader+4 {
		return nil, io.ErrUnexpectedEOF
	}
	size := int64(binary.LittleEndian.Uint32(content[bmpFileHeader:]))
	end := bmpFileHeader + size
	if end > int64(len(content)) {
		return nil, io.ErrUnexpectedEOF
	}
	b := &bmpFile{}
	// Fields that a short header lacks are zero.
	header := make([]byte, 124)
	copy(header, content[bmpFileHeader:end])
	colours, entry := 0, 4 // bytes of a palette entry
	switch size {
	case 12:
		entry = 3
		b.w, b.h = int(binary.LittleEndian.Uint16(header[4:])), int(binary.LittleEndian.Uint16(header[6:]))
		b.bits = int(binary.LittleEndian.Uint16(header[10:]))
	case 16, 40, 52, 56, 64, 108, 124:
		var err error
		if colours, err = b.readHeader(header); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a header of %d bytes is not read", size)
	}
	rest := content[end:]
	if b.coding == bmpBitfields && size == 40 {
		const masks = 12
		copy(header[40:], rest[:min(masks, len(rest))])
		rest = rest[min(masks, len(rest)):]
	}
	if err := b.chooseMasks(header); err != nil {
		return nil, err
	}
	if b.bits <= 8 {
		if colours == 0 {
			colours = 1 << b.bits
		}
		rest = b.readPalette(rest, colours, entry)
	}
	return b, b.findPixels(content, rest, end, colours)
}

// readHeader reads the fields of headers of 16 bytes and more. It returns how many colours they announce.
func (b *bmpFile) readHeader(header []byte) (colours int, err error) {
	field := func(at int) uint32 { return binary.LittleEndian.Uint32(header[at:]) }
	w, h := field(4), field(8)
	if b.topDown = h>>24 == 0xff; b.topDown {
		h = -h
	}
	if w > 1<<31-1 || h > 1<<31-1 {
		return 0, fmt.Errorf("size %dx%d", w, h)
	}
	b.w, b.h, b.bits, b.coding = int(w), int(h), int(binary.LittleEndian.Uint16(header[14:])), bmpCoding(field(16))
	if b.bits > 8 {
		return 0, nil
	}
	if field(32) > 1<<16 {
		return 0, fmt.Errorf("a palette of %d colours", field(32))
	}
	return int(field(32)), nil
}

// chooseMasks checks the coding, and says where the colours are in a pixel.
func (b *bmpFile) chooseMasks(header []byte) error {
	b.masks = map[int][3]uint32{16: {0x7c00, 0x3e0, 0x1f}, 24: {0xff0000, 0xff00, 0xff}, 32: {0xff0000, 0xff00, 0xff}}[b.bits]
	fits := b.coding == bmpPlain && (b.masks[0] != 0 || b.bits == 1 || b.bits == 4 || b.bits == 8) ||
		b.coding == bmpRLE8 && b.bits == 8 || b.coding == bmpRLE4 && b.bits == 4 || b.coding == bmpBitfields && b.masks[0] != 0
	if !fits {
		return fmt.Errorf("compression %d with %d bits a pixel is not read", b.coding, b.bits)
	}
	if b.coding != bmpBitfields {
		return nil
	}
	given := [3]uint32{}
	for i := range given {
		given[i] = binary.LittleEndian.Uint32(header[40+4*i:])
	}
	if given == [3]uint32{} {
		return nil
	}
	for _, m := range given {
		if m == 0 || b.bits < 32 && m>>b.bits != 0 {
			return fmt.Errorf("colour masks %08x are not read", given)
		}
	}
	b.masks = given
	return nil
}

// readPalette takes the colours. Those beyond the palette are grey. It returns what follows.
func (b *bmpFile) readPalette(rest []byte, colours, entry int) []byte {
	b.palette = greyRamp()
	for i := range min(colours, len(b.palette), len(rest)/entry) {
		p := rest[entry*i:]
		b.palette[i] = [3]uint8{p[2], p[1], p[0]}
	}
	return rest[min(entry*colours, len(rest)):]
}

// findPixels follows the offset of the file header. Where it is missing, or leaves no room for the palette, the pixels follow the headers.
func (b *bmpFile) findPixels(content, rest []byte, end int64, colours int) error {
	offset := int64(binary.LittleEndian.Uint32(content[10:]))
	if offset == end && b.bits <= 8 {
		offset += 4 * int64(colours)
	}
	if offset == 0 {
		b.data = rest
		return nil
	}
	if offset > int64(len(content)) {
		return fmt.Errorf("the pixels are missing: %w", io.ErrUnexpectedEOF)
	}
	b.data = content[offset:]
	return nil
}

// decodeBMP decodes a BMP file.
func decodeBMP(content []byte) (Image, error) {
	b, err := parseBMP(content)
	if err != nil {
		return nil, err
	}
	if b.coding == bmpRLE8 || b.coding == bmpRLE4 {
		return b.decodeRuns()
	}
	stride := (int64(b.w)*int64(b.bits) + 31) / 32 * 4
	bytes := (int64(b.w)*int64(b.bits) + 7) / 8
	if (int64(b.h)-1)*stride+bytes > int64(len(b.data)) { // the last row may lack its padding
		return nil, fmt.Errorf("%d bytes are too few for %dx%d pixels", len(content), b.w, b.h)
	}
	m := NewRGB(b.w, b.h)
	expand := b.expander()
	for i := range b.h {
		expand(b.row(m, i), b.data[int64(i)*stride:][:bytes])
	}
	return m, nil
}

// row returns the row of m that is stored as number i.
func (b *bmpFile) row(m *RGB, i int) []uint8 {
	if !b.topDown {
		i = b.h - 1 - i
	}
	return m.row(i, 0, b.w)
}

// expander returns the function that converts a row to RGB.
func (b *bmpFile) expander() func(dst, row []uint8) {
	if b.bits <= 8 {
		return b.indices
	}
	pixel := b.bits / 8
	if b.bits >= 24 && b.masks == [3]uint32{0xff0000, 0xff00, 0xff} {
		return func(dst, row []uint8) {
			for x := range len(dst) / 3 {
				p := row[pixel*x:]
				dst[3*x], dst[3*x+1], dst[3*x+2] = p[2], p[1], p[0]
			}
		}
	}
	return func(dst, row []uint8) {
		for i := range dst {
			value, mask := uint32(0), b.masks[i%3]
			for k, v := range row[pixel*(i/3):][:pixel] {
				value |= uint32(v) << (8 * k)
			}
			shift := bits.TrailingZeros32(mask)
			dst[i] = uint8(uint64(value&mask>>shift) * 255 / uint64(mask>>shift))
		}
	}
}

// indices converts a row of palette indices.
func (b *bmpFile) indices(dst, row []uint8) {
	for x := range len(dst) / 3 {
		bit := x * b.bits
		c := &b.palette[row[bit/8]>>(8-b.bits-bit%8)&uint8(1<<b.bits-1)]
		dst[3*x], dst[3*x+1], dst[3*x+2] = c[0], c[1], c[2]
	}
}
