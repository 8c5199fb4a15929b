package jpeg

import (
	"errors"
	"fmt"
)

// arithmetic decodes data in arithmetic coding: ISO/IEC 10918-1, annexes D, F and G. Each kind of decision has a statistics byte: a state in its lower
// 7 bits, and the more probable symbol in the upper one.
type arithmetic struct {
	low, high  [16]uint // bounds L and U of small DC differences, as powers of two
	few        [16]int  // coefficients up to this one count as the first ones
	dc         [16][64]uint8
	ac         [16][256]uint8
	even       uint8
	code, size uint32 // offset in the current interval, whose size is size
	shift      int    // bits of code below the interval
	failed     bool   // the data are damaged: nothing is decoded up to the next restart marker
	left       int64  // decisions that the data so far may still take
}

// These bound the work for a file, for a byte can hold any number of decisions that are nearly certain. Files of flat colour have a few decisions
// for each block, others below a thousand for each byte of compressed data.
const (
	decisionsPerBlock = 64
	decisionsPerByte  = 4096
)

var errTooManyDecisions = errors.New("the arithmetic coding takes far more work than its size allows: jpegtran rewrites such a file without loss")

// readConditioning reads what differs from the usual statistics: ISO/IEC 10918-1, B.2.4.3.
func (d *decoder) readConditioning(body []byte) error {
	for ; len(body) > 0; body = body[min(2, len(body)):] {
		if len(body) < 2 || body[0] > 31 || body[0] < 16 && body[1]&15 > body[1]>>4 {
			return fmt.Errorf("damaged segment of arithmetic conditioning (marker FF %02X)", dac)
		}
		id, v := body[0]&15, body[1]
		if body[0] < 16 {
			d.arith.low[id], d.arith.high[id] = uint(v&15), uint(v>>4)
		} else {
			d.arith.few[id] = int(v)
		}
	}
	return nil
}

// resetConditioning gives all statistics their usual form.
func (a *arithmetic) resetConditioning() {
	for i := range a.low {
		a.low[i], a.high[i], a.few[i] = 0, 1, 5
	}
}

// start begins a scan or a restart interval. Intervals may be short, so only the statistics of the scan begin anew.
func (a *arithmetic) start(r *bitReader, s *scan) {
	for i := range s.parts {
		p := &s.parts[i]
		a.dc[p.dcID], a.ac[p.acID] = [64]uint8{}, [256]uint8{}
	}
	a.even = evenOdds
	a.failed = false
	a.code = uint32(r.byte())<<8 | uint32(r.byte())
	a.size, a.shift = 1<<16, 0
}

// byte returns the next byte of the segment. Behind its end come zeros.
func (r *bitReader) byte() uint8 {
	if r.pos >= r.size {
		return 0
	}
	r.pos++
	return r.data[r.pos-1]
}

// decide decodes a decision by its statistics, and updates them. code has shift more bits than size.
func (a *arithmetic) decide(r *bitReader, s *uint8) uint8 {
	a.left--
	for a.size < 1<<15 {
		if a.shift == 0 {
			a.code, a.shift = a.code<<8|uint32(r.byte()), 8
		}
		a.shift--
		a.size <<= 1
	}
	symbol := *s >> 7
	e := &estimates[*s&127]
	a.size -= e.qe
	var likely bool
	if at := a.size << a.shift; a.code >= at {
		// The upper part of the interval. It is that of the more probable symbol if it is the larger one.
		a.code -= at
		likely = a.size < e.qe
		a.size = e.qe
	} else {
		if a.size >= 1<<15 {
			return symbol // without an update
		}
		likely = a.size >= e.qe
	}
	if likely {
		*s = symbol<<7 | e.mps
		return symbol
	}
	*s = (symbol^e.exchange)<<7 | e.lps
	return symbol ^ 1
}

// magnitude decodes a number of doublings, each of which has statistics of its own, and the bits below. m is 1 already, and more the first
// statistics.
func (a *arithmetic) magnitude(r *bitReader, m int32, more []uint8) (v, top int32) {
	i := 0
	for a.decide(r, &more[i]) != 0 {
		if m <<= 1; m == 1<<15 {
			a.failed = true
			return 0, 0
		}
		i++
	}
	return a.below(r, m, &more[i+14]), m
}

// below decodes the bits below the highest one, m.
func (a *arithmetic) below(r *bitReader, m int32, s *uint8) int32 {
	v := m
	for m >>= 1; m > 0; m >>= 1 {
		if a.decide(r, s) != 0 {
			v |= m
		}
	}
	return v
}
