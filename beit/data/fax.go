package data

import (
	"errors"
	"fmt"
	"io"
)

// faxCoding is a way to code rows of black and white pixels.
type faxCoding int

const (
	faxRows   faxCoding = iota // runs; each row begins at a byte
	fax3                       // T.4: runs; each row begins with an end of line
	fax3Mixed                  // T.4: the same, and rows may refer to the row above
	fax4                       // T.6: each row refers to the row above
)

// faxReader decodes rows of fax coding, in which white pixels become bits 0 and black ones bits 1. It goes on after damage as libtiff does: the
// rest of a damaged row is white, and the next row begins at the next end of line, or right there in T.6.
type faxReader struct {
	bits   faxBits
	coding faxCoding
	width  int
	eol    bool // the zeros of an end of line were read
	row    int

	runs, above faxRuns
	at          int // pixels of the row that are decoded: a0
	part        int // length of the parts of the current run
	next        int // place in above of the next run
	change      int // the next change of colour above: b1
	rest        []byte
}

// faxRuns are the lengths of white and black runs by turns, white first. Behind them stay those of an earlier row: damaged rows refer to them.
type faxRuns struct {
	n    int
	list []int
}

func (r *faxRuns) add(run int) {
	if r.n == len(r.list) {
		r.list = append(r.list, 0)
	}
	r.list[r.n] = run
	r.n++
}

// at returns run i, or 0 where there never was one.
func (r *faxRuns) at(i int) int {
	if i < 0 || i >= len(r.list) {
		return 0
	}
	return r.list[i]
}

func newFaxReader(b []byte, coding faxCoding, width int) *faxReader {
	return &faxReader{bits: faxBits{data: b}, coding: coding, width: width, above: faxRuns{2, []int{width, 0}}}
}

// Read implements io.Reader.
func (f *faxReader) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		row, err := f.decodeRow()
		if err != nil {
			return 0, err
		}
		f.rest = row
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// These end a row early. The rest of it is white.
var (
	errFaxRow = errors.New("the row is damaged")
	errFaxEOL = fmt.Errorf("%w: it ends early", errFaxRow)
)

// decodeRow decodes the next row.
func (f *faxReader) decodeRow() ([]byte, error) {
	f.runs.n, f.at, f.part = 0, 0, 0
	f.change, f.next = f.above.at(0), 1
	err := f.startRow()
	refers := f.coding == fax4
	if err == nil && f.coding == fax3Mixed {
		var oneDimensional int
		if oneDimensional, err = f.bits.take(1); err == nil {
			refers = oneDimensional == 0
		}
	}
	switch {
	case err != nil:
	case refers:
		err = f.decodeSteps()
	default:
		err = f.decodeRuns()
	}
	if errors.Is(err, io.EOF) || f.coding == fax4 && f.eol {
		return nil, io.EOF
	}
	if err != nil && !errors.Is(err, errFaxRow) {
		return nil, err
	}
	f.endRow()
	f.row++
	if f.coding == faxRows {
		f.bits.align()
	}
	line := f.paint()
	f.set(0) // an imaginary change
	f.runs, f.above = f.above, f.runs
	return line, nil
}

// startRow looks for the end of line that a row begins with.
func (f *faxReader) startRow() error {
	if f.coding != fax3 && f.coding != fax3Mixed {
		return nil
	}
	for !f.eol {
		zeros, err := f.bits.peek(len(faxZeros))
		if err != nil {
			return err
		}
		if f.eol = zeros == 0; !f.eol {
			f.bits.skip(1)
		}
	}
	f.eol = false
	for {
		next, err := f.bits.peek(8)
		if err != nil {
			return err
		}
		if next != 0 {
			break
		}
		f.bits.skip(8)
	}
	for {
		if bit, err := f.bits.take(1); err != nil || bit == 1 {
			return err
		}
	}
}

// set ends a run that goes on for so many pixels more.
func (f *faxReader) set(more int) {
	f.runs.add(f.part + more)
	f.at, f.part = f.at+more, 0
}

// decodeRun reads a run of one colour.
func (f *faxReader) decodeRun(black bool) error {
	table, bits := faxWhite, faxWhiteBits
	if black {
		table, bits = faxBlack, faxBlackBits
	}
	for {
		value, err := f.bits.peek(bits)
		if err != nil {
			return err
		}
		code := table[value]
		f.bits.skip(int(code.width))
		switch code.kind {
		case faxEnds:
			f.set(int(code.run))
			return nil
		case faxGoesOn:
			f.at += int(code.run)
			f.part += int(code.run)
			if f.at > 1<<30 {
				return errFaxRow
			}
		case faxEOL:
			return errFaxEOL
		default:
			return errFaxRow
		}
	}
}

// decodeRuns reads a row of runs.
func (f *faxReader) decodeRuns() error {
	for black := false; ; black = !black {
		if err := f.decodeRun(black); err != nil {
			f.eol = errors.Is(err, errFaxEOL)
			return err
		}
		if f.at >= f.width {
			return nil
		}
		if n := f.runs.n; black && f.runs.at(n-1) == 0 && f.runs.at(n-2) == 0 {
			f.runs.n -= 2
		}
	}
}

// reach moves the change above to the right of the pixels that are decoded.
func (f *faxReader) reach() {
	for f.runs.n > 0 && f.change <= f.at && f.change < f.width {
		f.change += f.runAbove() + f.runAbove()
	}
}

// runAbove takes the next run of the row above.
func (f *faxReader) runAbove() int {
	f.next++
	return f.above.at(f.next - 1)
}

// decodeSteps reads a row that refers to the row above.
func (f *faxReader) decodeSteps() error {
	for f.at < f.width {
		value, err := f.bits.peek(faxStepBits)
		if err != nil {
			return err
		}
		step := faxSteps[value]
		f.bits.skip(int(step.width))
		if f.runs.n > 2*f.width+64 {
			return fmt.Errorf("row %d has too many runs", f.row)
		}
		if err := f.follow(step); err != nil {
			return err
		}
	}
	if f.part == 0 {
		return nil
	}
	if f.part+f.at < f.width { // a last change right above belongs to it
		if bit, err := f.bits.take(1); err != nil || bit == 0 {
			return errors.Join(err, errFaxRow)
		}
	}
	f.set(0)
	return nil
}

// follow does what a code says.
func (f *faxReader) follow(step faxStep) error {
	switch step.mode {
	case faxPass:
		f.reach()
		f.change += f.runAbove()
		f.part += f.change - f.at
		f.at = f.change
		f.change += f.runAbove()
	case faxHorizontal:
		black := f.runs.n%2 == 1
		for range 2 {
			if err := f.decodeRun(black); err != nil {
				return err
			}
			black = !black
		}
		f.reach()
	case faxVertical:
		return f.vertical(int(step.shift))
	case faxRowEnd:
		f.runs.add(f.width - f.at)
		if _, err := f.bits.take(4); err != nil {
			return err
		}
		f.eol = true
		return errFaxRow
	default:
		f.runs.add(f.width - f.at)
		return errFaxRow
	}
	return nil
}

// vertical ends a run near a change above.
func (f *faxReader) vertical(shift int) error {
	f.reach()
	if f.change < f.at-shift {
		return errFaxRow
	}
	f.set(f.change - f.at + shift)
	if shift >= 0 {
		f.change += f.runAbove()
	} else {
		f.next--
		f.change -= f.above.at(f.next)
	}
	return nil
}

// endRow makes the runs as long as the row.
func (f *faxReader) endRow() {
	if f.part != 0 {
		f.set(0)
	}
	for f.at > f.width && f.runs.n > 0 {
		f.runs.n--
		f.at -= f.runs.at(f.runs.n)
	}
	if f.at >= f.width {
		return
	}
	f.at = max(f.at, 0)
	if f.runs.n%2 == 1 {
		f.set(0)
	}
	f.set(f.width - f.at)
}

// paint turns the runs into pixels, and cuts them where they are longer than the row.
func (f *faxReader) paint() []byte {
	line := make([]byte, (f.width+7)/8)
	x := 0
	for i := range f.runs.n {
		run := f.runs.at(i)
		if run < 0 || x+run > f.width {
			run = f.width - x
			f.runs.list[i] = run
		}
		for end := x + run; x < end; x++ {
			line[x/8] |= byte(i%2) << (7 - x%8)
		}
	}
	return line
}

// faxBits reads bits, the highest of a byte first. Where the data end in the middle of a code, zeros follow.
type faxBits struct {
	data  []byte
	acc   uint32
	avail int // bits of acc that were not skipped
}

// peek returns the next n bits.
func (b *faxBits) peek(n int) (int, error) {
	for b.avail < n {
		if len(b.data) == 0 {
			if b.avail == 0 {
				return 0, io.EOF
			}
			b.acc <<= n - b.avail
			b.avail = n
			break
		}
		b.acc = b.acc<<8 | uint32(b.data[0])
		b.avail += 8
		b.data = b.data[1:]
	}
	return int(b.acc >> (b.avail - n) & (1<<n - 1)), nil
}

// skip takes n bits that were peeked at.
func (b *faxBits) skip(n int) { b.avail -= n }

// take returns the next n bits and skips them.
func (b *faxBits) take(n int) (int, error) {
	v, err := b.peek(n)
	if err == nil {
		b.skip(n)
	}
	return v, err
}

// align skips bits to the next byte.
func (b *faxBits) align() { b.avail -= b.avail % 8 }
