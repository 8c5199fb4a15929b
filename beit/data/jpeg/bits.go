package jpeg

import (
	"bytes"
	"encoding/binary"
)

// bitReader reads the bits of an entropy-coded segment, which ends at a marker. Behind its end it reads zeros for ever.
type bitReader struct {
	data  []byte // without stuffing, with padding
	size  int    // bytes without padding
	pos   int    // of the next byte that goes into acc; may lie behind the end
	acc   uint64 // the next bits, left-aligned
	n     int    // number of bits in acc
	ended bool   // the file ended with this segment: there was no marker
}

const padding = 8

// load takes the segment at the head of content and returns the number of bytes up to the marker behind it, or to the end of content.
// Each FF of the data is followed by a stuffed 00, which is left out.
func (r *bitReader) load(content []byte) int {
	r.data = r.data[:0]
	at := 0
	r.ended = false
	for {
		i := bytes.IndexByte(content[at:], 0xff)
		if i < 0 {
			r.ended = true
			i = len(content) - at
		}
		r.data = append(r.data, content[at:at+i]...)
		at += i
		marker := at
		for at < len(content) && content[at] == 0xff {
			at++
		}
		if at == len(content) {
			r.ended = true
		} else if content[at] == 0 {
			r.data = append(r.data, 0xff)
			at++
			continue
		}
		r.start()
		return marker
	}
}

// empty makes a segment without bits.
func (r *bitReader) empty() {
	r.data, r.ended = r.data[:0], false
	r.start()
}

func (r *bitReader) start() {
	r.size = len(r.data)
	r.data = append(r.data, make([]byte, padding)...)
	r.pos, r.acc, r.n = 0, 0, 0
}

// overrun reports whether bits behind the end have been used.
func (r *bitReader) overrun() bool { return 8*(r.pos-r.size) > r.n }

// spent reports whether the file ends with the bits that were used last: it lacks the marker that should come then.
func (r *bitReader) spent() bool { return r.ended && 8*(r.pos-r.size+1) > r.n }

// refill makes at least 56 bits available.
func (r *bitReader) refill() {
	var n uint
	r.acc, n, r.pos = refilled(r.acc, uint(r.n), r.pos, r.data)
	r.n = int(n)
}

// refilled returns the state of a reader with at least 56 bits available. Loops hold that state in variables.
func refilled(acc uint64, n uint, pos int, data []byte) (uint64, uint, int) {
	if uint(pos) <= uint(len(data)-padding) {
		acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
	}
	return acc, n | 56, pos + int(63-n)>>3
}

// take returns the next n bits, from 0 to 16.
func (r *bitReader) take(n int) int32 {
	if r.n < n {
		r.refill()
	}
	v := int32(r.acc >> 32 >> (uint(32-n) & 63))
	r.acc <<= uint(n) & 63
	r.n -= n
	return v
}

// next decodes a symbol of t and the value behind it. The value is 0 when the symbol has none.
func (r *bitReader) next(t *huffTable) (run int, value int32) {
	if r.n < 32 {
		r.refill()
	}
	e := t.look[r.acc>>(64-lookBits)]
	if e>>16 == 0 {
		e = t.rest(e, r.acc)
	}
	used := uint(e & 63)
	r.acc <<= used
	r.n -= int(used)
	return int(e >> 8 & 15), int32(e) >> 16
}
