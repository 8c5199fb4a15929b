package data

import (
	"fmt"
	"io"
)

// bmpRuns decodes the run-length codings RLE8 and RLE4.
type bmpRuns struct {
	*bmpFile
	m    *RGB
	x, i int // the next pixel: its column, and the number of its row as stored
}

// decodeRuns decodes an image of runs. Pixels that the runs pass over have the first colour of the palette.
func (b *bmpFile) decodeRuns() (Image, error) {
	r := bmpRuns{bmpFile: b, m: NewRGB(b.w, b.h)}
	r.m.fill(b.palette[0])
	for rest := b.data; r.i < b.h; {
		const endLine, endImage, jump = 0, 1, 2
		if len(rest) < 2 {
			if r.i == b.h-1 && r.x >= b.w {
				break // only the marks of the end are missing
			}
			return nil, fmt.Errorf("the file is cut short in row %d of %d: %w", r.i, b.h, io.ErrUnexpectedEOF)
		}
		count, value := int(rest[0]), rest[1]
		rest = rest[2:]
		switch {
		case count > 0:
			r.run(count, value)
		case value == endLine:
			r.x, r.i = 0, r.i+1
		case value == endImage:
			return r.m, nil
		case value == jump:
			if len(rest) < 2 {
				return nil, io.ErrUnexpectedEOF
			}
			r.x, r.i = r.x+int(rest[0]), r.i+int(rest[1])
			rest = rest[2:]
		default:
			n := (int(value)*b.bits + 7) / 8
			if n > len(rest) {
				return nil, io.ErrUnexpectedEOF
			}
			r.literals(int(value), rest[:n])
			rest = rest[min(n+n%2, len(rest)):]
		}
	}
	return r.m, nil
}

// run repeats a colour, or the two of RLE4 by turns.
func (r *bmpRuns) run(count int, value uint8) {
	for k := range count {
		index := value
		if r.bits == 4 {
			index = value >> (4 - 4*(k%2)) & 15
		}
		r.put(index)
	}
}

// literals shows colours that are stored one by one.
func (r *bmpRuns) literals(count int, b []byte) {
	for k := range count {
		index := b[k*r.bits/8]
		if r.bits == 4 {
			index = index >> (4 - 4*(k%2)) & 15
		}
		r.put(index)
	}
}

// put shows a pixel, unless it is beyond the end of its row.
func (r *bmpRuns) put(index uint8) {
	if r.x < r.w {
		copy(r.row(r.m, r.i)[3*r.x:], r.palette[index][:])
	}
	r.x++
}
