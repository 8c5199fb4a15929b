package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

// gifFile is what stands before the pixels of the first frame of a GIF file.
type gifFile struct {
	w, h       int
	frame      image.Rectangle
	interlaced bool
	palette    [256][3]uint8
	background uint8  // palette index of the pixels outside the frame
	codeBits   uint8  // of the colours
	data       []byte // the file from the frame's first block
}

// gifSize reads the size of the image in a GIF file.
func gifSize(content []byte) (w, h int, err error) {
	g, err := parseGIF(content)
	if err != nil {
		return 0, 0, err
	}
	return g.w, g.h, nil
}

const (
	gifScreen     = 13 // bytes of the header
	gifHasPalette = 0x80
	gifInterlaced = 0x40
)

// parseGIF reads the blocks before the pixels. Where the first frame leaves the screen, the image is larger. Bytes between blocks are skipped.
func parseGIF(content []byte) (*gifFile, error) {
	if len(content) < gifScreen {
		return nil, io.ErrUnexpectedEOF
	}
	g := &gifFile{w: int(binary.LittleEndian.Uint16(content[6:])), h: int(binary.LittleEndian.Uint16(content[8:]))}
	g.palette = greyRamp()
	rest := g.readPalette(content[gifScreen:], content[10])
	for len(rest) > 0 {
		const extension, frame, end = '!', ',', ';'
		block := rest[0]
		rest = rest[1:]
		switch block {
		case extension:
			rest = g.readExtension(rest)
		case frame:
			return g, g.readFrame(rest)
		case end:
			rest = nil
		}
	}
	return nil, errors.New("it has no frame")
}

// readPalette takes the colours of a palette, where flags announce one. Colours beyond it are grey. It returns what follows.
func (g *gifFile) readPalette(b []byte, flags uint8) []byte {
	if flags&gifHasPalette == 0 {
		return b
	}
	n := min(2<<(flags&7), len(b)/3)
	g.palette = greyRamp()
	for i := range n {
		g.palette[i] = [3]uint8(b[3*i:])
	}
	return b[3*n:]
}

// readExtension takes the transparent colour from a graphic control extension. It returns what follows the extension.
func (g *gifFile) readExtension(b []byte) []byte {
	const control, comment, transparent = 0xf9, 0xfe, 1
	if len(b) == 0 {
		return nil
	}
	label := b[0]
	block, b := gifBlock(b[1:])
	if label == control && len(block) >= 4 && block[0]&transparent != 0 {
		g.background = block[3]
	}
	if label == comment && len(block) == 0 {
		return b
	}
	for {
		if block, b = gifBlock(b); len(block) == 0 {
			return b
		}
	}
}

// gifBlock splits a block of data off, of the length that its first byte says.
func gifBlock(b []byte) (block, rest []byte) {
	if len(b) == 0 {
		return nil, nil
	}
	end := min(1+int(b[0]), len(b))
	return b[1:end], b[end:]
}

func (g *gifFile) readFrame(b []byte) error {
	const size = 9
	if len(b) < size {
		return io.ErrUnexpectedEOF
	}
	at := func(i int) int { return int(binary.LittleEndian.Uint16(b[i:])) }
	g.frame = image.Rect(at(0), at(2), at(0)+at(4), at(2)+at(6))
	if g.frame.Empty() {
		return fmt.Errorf("the first frame has the size %dx%d", g.frame.Dx(), g.frame.Dy())
	}
	g.w, g.h = max(g.w, g.frame.Max.X), max(g.h, g.frame.Max.Y)
	flags := b[8]
	g.interlaced = flags&gifInterlaced != 0
	b = g.readPalette(b[size:], flags)
	if len(b) == 0 {
		return io.ErrUnexpectedEOF
	}
	if g.codeBits, g.data = b[0], b[1:]; g.codeBits > gifMaxCode {
		return fmt.Errorf("colours of %d bits", g.codeBits)
	}
	return nil
}

// decodeGIF decodes the first frame. Pixels outside the frame get the transparent colour, or the first one of the palette where none is
// transparent. Transparent pixels get the colour that the palette gives them. What follows the last pixel does not matter.
func decodeGIF(content []byte) (Image, error) {
	g, err := parseGIF(content)
	if err != nil {
		return nil, err
	}
	m := NewRGB(g.w, g.h)
	if g.frame != m.Bounds() {
		m.fill(g.palette[g.background])
	}
	codes := gifCodes{blocks: g.data, bits: g.codeBits}
	codes.reset()
	line, filled := make([]uint8, g.frame.Dx()), 0
	for _, y := range g.rows() {
		for filled < len(line) {
			if len(codes.text) == 0 {
				if err := codes.next(); err != nil {
					return nil, fmt.Errorf("row %d of %d: %w", y, g.frame.Dy(), err)
				}
			}
			n := copy(line[filled:], codes.text)
			filled, codes.text = filled+n, codes.text[n:]
		}
		g.show(m.row(g.frame.Min.Y+y, g.frame.Min.X, g.frame.Max.X), line)
		filled = 0
	}
	return m, nil
}

// show writes the colours of a row of indices.
func (g *gifFile) show(row, indices []uint8) {
	for x, index := range indices {
		c := &g.palette[index]
		row[3*x], row[3*x+1], row[3*x+2] = c[0], c[1], c[2]
	}
}

// rows lists the rows of the frame in the order in which they are stored.
func (g *gifFile) rows() []int {
	passes := [][2]int{{0, 1}} // first row, distance
	if g.interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	rows := make([]int, 0, g.frame.Dy())
	for _, p := range passes {
		for y := p[0]; y < g.frame.Dy(); y += p[1] {
			rows = append(rows, y)
		}
	}
	return rows
}
