package jpeg

// The first statistics of doublings.
const (
	dcDoublings      = 20
	acDoublingsFirst = 189
	acDoublingsLast  = 217
)

// decodeArithmetic decodes a block of a sequential scan into b, which is zero but for the first coefficient. It returns the place of the last
// coefficient in the order of the file.
func (d *decoder) decodeArithmetic(p *scanPart, b *[64]int16) (last int) {
	a, r := &d.arith, &d.bits
	a.difference(r, p)
	b[0] = int16(p.pred)
	for k := 1; k < 64 && !a.failed; k++ {
		at, value := a.coefficient(r, p, k, 64)
		if value == 0 {
			break
		}
		k, last = at, at
		b[zigzag[k&127]&63] = int16(value)
	}
	return last
}

// difference decodes the difference to the first coefficient of the block before. Its statistics depend on that of the block before.
func (a *arithmetic) difference(r *bitReader, p *scanPart) {
	stats := &a.dc[p.dcID]
	s := stats[p.context:]
	if a.decide(r, &s[0]) == 0 {
		p.context = 0
		return
	}
	sign := a.decide(r, &s[1])
	v, top := int32(0), int32(0)
	if a.decide(r, &s[2+sign]) != 0 {
		if v, top = a.magnitude(r, 1, stats[dcDoublings:]); a.failed {
			return
		}
	}
	switch small, large := int32(1)<<a.low[p.dcID]>>1, int32(1)<<a.high[p.dcID]>>1; {
	case top < small:
		p.context = 0
	case top > large:
		p.context = 12 + 4*int(sign)
	default:
		p.context = 4 + 4*int(sign)
	}
	p.pred += signed(v+1, sign)
}

func signed(v int32, sign uint8) int32 {
	if sign != 0 {
		return -v
	}
	return v
}

// coefficient decodes the next coefficient from k on, and its place. The value is 0 behind the last one.
func (a *arithmetic) coefficient(r *bitReader, p *scanPart, k, end int) (at int, value int32) {
	stats := &a.ac[p.acID]
	if a.decide(r, &stats[3*(k-1)]) != 0 {
		return k, 0
	}
	for a.decide(r, &stats[3*(k-1)+1]) == 0 {
		if k++; k >= end {
			a.failed = true
			return k, 0
		}
	}
	sign := a.decide(r, &a.even)
	v, s := int32(0), &stats[3*(k-1)+2]
	if a.decide(r, s) != 0 {
		v = 1
		if a.decide(r, s) != 0 {
			doublings := stats[acDoublingsLast:]
			if k <= a.few[p.acID] {
				doublings = stats[acDoublingsFirst:]
			}
			if v, _ = a.magnitude(r, 2, doublings); a.failed {
				return k, 0
			}
		}
	}
	return k, signed(v+1, sign)
}

// decodeProgressiveArithmetic decodes what a progressive scan says of a block.
func (d *decoder) decodeProgressiveArithmetic(s *scan, p *scanPart, b progressiveBlock) {
	a, r := &d.arith, &d.bits
	switch {
	case s.first == 0 && s.high == 0:
		a.difference(r, p)
		b.values[0] = int16(p.pred << s.low)
	case s.first == 0:
		if a.decide(r, &a.even) != 0 {
			b.values[0] |= 1 << s.low
		}
	case s.high == 0:
		for k := s.first; k < s.end && !a.failed; k++ {
			at, value := a.coefficient(r, p, k, s.end)
			if value == 0 {
				break
			}
			k = at
			b.set(k, int16(value<<s.low))
		}
	default:
		a.refine(r, s, p, b)
	}
}

// refine decodes one more bit of a band of coefficients. The band ends behind the last one that was not 0 before, or later.
func (a *arithmetic) refine(r *bitReader, s *scan, p *scanPart, b progressiveBlock) {
	stats, bit := &a.ac[p.acID], int16(1)<<s.low
	before := min(int(*b.last), s.end-1)
	for before > 0 && b.values[zigzag[before&127]&63] == 0 {
		before--
	}
	for k := s.first; k < s.end; k++ {
		if k > before && a.decide(r, &stats[3*(k-1)]) != 0 {
			return
		}
		for !a.refineOne(r, b, k, stats[3*(k-1):], bit) {
			if k++; k >= s.end {
				a.failed = true
				return
			}
		}
	}
}

// refineOne decodes the bit of coefficient k. It reports whether the coefficient is another one than 0.
func (a *arithmetic) refineOne(r *bitReader, b progressiveBlock, k int, stats []uint8, bit int16) bool {
	c := &b.values[zigzag[k&127]&63]
	if *c != 0 {
		if a.decide(r, &stats[2]) != 0 {
			if *c < 0 {
				bit = -bit
			}
			*c += bit
		}
		return true
	}
	if a.decide(r, &stats[1]) == 0 {
		return false
	}
	if a.decide(r, &a.even) != 0 {
		bit = -bit
	}
	b.set(k, bit)
	return true
}
