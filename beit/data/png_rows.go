package data

import (
	"errors"
	"fmt"
	"io"
)

// pngRows reads the rows of a PNG file and takes their filters back.
type pngRows struct {
	src            io.Reader
	pixel          int     // bytes between a sample and the one on its left
	current, above []uint8 // with the byte that names the filter
	done           int
	read           int64 // bytes of the rows that are done
}

func newPNGRows(src io.Reader, p *pngFile) *pngRows {
	longest := 1 + p.rowBytes(p.w)
	return &pngRows{src: src, pixel: max(p.bits()/8, 1), current: make([]uint8, longest), above: make([]uint8, longest)}
}

// restart forgets the row above: a pass begins.
func (r *pngRows) restart() { clear(r.current) }

// next returns a row of n bytes, which is valid until the next call but one. The error is io.EOF where the compressed data end before the row.
func (r *pngRows) next(n int) ([]uint8, error) {
	r.current, r.above = r.above, r.current
	if _, err := io.ReadFull(r.src, r.current[:1+n]); err != nil {
		return nil, err
	}
	row := r.current[1 : 1+n]
	if err := unfilter(r.current[0], row, r.above[1:1+n], r.pixel); err != nil {
		return nil, err
	}
	r.done++
	r.read += int64(1 + n)
	return row, nil
}

// ended reports whether err means that the compressed data end properly after a row, though the image has more: those stay as
// they are.
func (r *pngRows) ended(err error) bool { return errors.Is(err, io.EOF) && r.done > 0 }

// unfilter adds to a row what its filter took away. pixel is the distance to the sample on the left.
func unfilter(filter uint8, row, above []uint8, pixel int) error {
	above = above[:len(row)]
	switch filter {
	case 0:
	case 1:
		for i := pixel; i < len(row); i++ {
			row[i] += row[i-pixel]
		}
	case 2:
		for i, up := range above {
			row[i] += up
		}
	case 3:
		for first := range min(pixel, len(row)) {
			left := 0
			for i := first; i < len(row); i += pixel {
				left = int(row[i] + uint8((left+int(above[i]))/2))
				row[i] = uint8(left)
			}
		}
	case 4:
		for first := range min(pixel, len(row)) {
			left, corner := 0, 0
			for i := first; i < len(row); i += pixel {
				up := int(above[i])
				left = int(row[i] + paeth(left, up, corner))
				row[i], corner = uint8(left), up
			}
		}
	default:
		return fmt.Errorf("a row has the unknown filter %d", filter)
	}
	return nil
}

// paeth returns which of three neighbours is nearest to left + up - corner.
func paeth(left, up, corner int) uint8 {
	l, u := up-corner, left-corner // distances to left and up
	c := l + u
	l, u, c = max(l, -l), max(u, -u), max(c, -c)
	if l <= u && l <= c {
		return uint8(left)
	}
	if u <= c {
		return uint8(up)
	}
	return uint8(corner)
}

// readRows reads an image row after row.
func (p *pngFile) readRows(m pngPixels, rows *pngRows) error {
	for y := range p.h {
		row, err := rows.next(p.rowBytes(p.w))
		if rows.ended(err) {
			return nil
		}
		if err != nil {
			return err
		}
		m.put(row, 0, y, 1, p.w)
	}
	return nil
}

// pngPasses are the passes of an interlaced image: the first column and row of each, and the distances to the next ones.
var pngPasses = []struct{ x, y, dx, dy int }{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// allRowBytes returns the bytes of all rows, with those that name their filters.
func (p *pngFile) allRowBytes() int64 {
	if !p.interlaced {
		return int64(p.h) * int64(1+p.rowBytes(p.w))
	}
	sum := int64(0)
	for _, pass := range pngPasses {
		if w := (p.w - pass.x + pass.dx - 1) / pass.dx; w > 0 {
			sum += int64((p.h-pass.y+pass.dy-1)/pass.dy) * int64(1+p.rowBytes(w))
		}
	}
	return sum
}

// readPasses reads an interlaced image.
func (p *pngFile) readPasses(m pngPixels, rows *pngRows) error {
	for _, pass := range pngPasses {
		w := (p.w - pass.x + pass.dx - 1) / pass.dx
		if w == 0 {
			continue
		}
		rows.restart()
		for y := pass.y; y < p.h; y += pass.dy {
			row, err := rows.next(p.rowBytes(w))
			if rows.ended(err) {
				return nil
			}
			if err != nil {
				return err
			}
			m.put(row, pass.x, y, pass.dx, w)
		}
	}
	return nil
}

// pngColours are the pixels of a PNG file in RGB.
type pngColours struct {
	p    *pngFile
	m    *RGB
	part []uint8 // those of a row of a pass
}

func newPNGColours(p *pngFile) *pngColours {
	c := &pngColours{p: p, m: NewRGB(p.w, p.h)}
	if p.interlaced {
		c.part = make([]uint8, 3*p.w)
	}
	if p.colour == pngPalette {
		c.m.fill(p.palette[0]) // rows that the data lack
	}
	return c
}

func (c *pngColours) bytes() []uint8 { return c.m.Pix }

func (c *pngColours) put(row []uint8, x, y, dx, w int) {
	line := c.m.row(y, 0, c.m.W)
	if dx == 1 {
		c.p.expand(line, row)
		return
	}
	c.p.expand(c.part[:3*w], row)
	for i := range w {
		copy(line[3*(x+i*dx):], c.part[3*i:3*i+3])
	}
}

// expand converts a row to RGB: of 16 bits the higher 8, and alpha is dropped.
func (p *pngFile) expand(dst, row []uint8) {
	sample := max(p.depth/8, 1) // in bytes
	switch {
	case p.colour == pngRGB && p.depth == 8:
		copy(dst, row)
	case p.colour == pngRGB || p.colour == pngRGBA:
		dropAlpha(dst, row, p.bits()/8, sample)
	case p.depth >= 8 && p.colour != pngPalette:
		for x := range len(dst) / 3 {
			v := row[x*(p.bits()/8)]
			dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
		}
	default:
		p.expandBits(dst, row)
	}
}

// expandBits converts palette indices, and grey of fewer than 8 bits.
func (p *pngFile) expandBits(dst, row []uint8) {
	most := uint8(1<<p.depth - 1)
	for x := range len(dst) / 3 {
		bit := x * p.depth
		v := row[bit/8] >> (8 - p.depth - bit%8) & most
		c := p.palette[v]
		if p.colour == pngGrey {
			v *= 255 / most
			c = [3]uint8{v, v, v}
		}
		copy(dst[3*x:3*x+3], c[:])
	}
}
