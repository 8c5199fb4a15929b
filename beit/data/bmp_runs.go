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

// bmpRunPadding is how many pixels a row may have too many: some writers pad rows as in files without runs.
const bmpRunPadding = 7

// decodeRuns decodes an image of runs. Pixels that the runs pass over have the first colour of the palette.
func (b *bmpFile) decodeRuns() (Image, error) {
	r := bmpRuns{bmpFile: b, m: NewRGB(b.w, b.h)}
	r.m.fill(b.palette[0])
	rest := b.data
	for r.i < b.h {
		if len(rest) < 2 && r.i == b.h-1 && r.x >= b.w {
			break // only the markers of the end are missing
		}
		var err error
		if rest, err = r.step(rest); err != nil {
			return nil, fmt.Errorf("row %d of %d: %w", r.i, b.h, err)
		}
		if r.x > b.w+bmpRunPadding {
			return nil, fmt.Errorf("the runs are damaged: row %d is longer than the image", r.i)
		}
	}
	return r.m, nil
}

// step decodes one run, or whatever else stands at the beginning of b. It returns what follows.
func (r *bmpRuns) step(b []byte) (rest []byte, err error) {
	const endLine, endImage, jump = 0, 1, 2
	if len(b) < 2 {
		return nil, io.ErrUnexpectedEOF
	}
	count, value := int(b[0]), b[1]
	b = b[2:]
	switch {
	case count > 0:
		r.run(count, value)
		return b, nil
	case value == endLine:
		r.x, r.i = 0, r.i+1
		return b, nil
	case value == endImage:
		r.i = r.h
		return b, nil
	case value == jump && len(b) >= 2:
		r.x, r.i = r.x+int(b[0]), r.i+int(b[1])
		return b[2:], nil
	}
	n := (int(value)*r.bits + 7) / 8
	if value == jump || n > len(b) {
		return nil, io.ErrUnexpectedEOF
	}
	r.literals(int(value), b[:n])
	return b[min(n+n%2, len(b)):], nil
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
