package jpeg

// progressiveBlock is a block of a progressive image, which gets its coefficients bit by bit.
type progressiveBlock struct {
	values *[64]int16
	last   *uint8 // place of the last coefficient so far, in the order of the file
}

// stored returns the block at column x and row y.
func (c *component) stored(x, y int) progressiveBlock {
	i := y*c.strideX + x
	return progressiveBlock{(*[64]int16)(c.coefs[64*i:]), &c.last[i]}
}

// set writes a new coefficient. A damaged run may lead behind the last one.
func (b progressiveBlock) set(k int, value int16) {
	k = min(k, 63)
	b.values[zigzag[k&127]&63] = value
	*b.last = max(*b.last, uint8(k))
}

// decodeProgressive decodes what a scan says of a block: ISO/IEC 10918-1, G.1.2.
func (d *decoder) decodeProgressive(s *scan, p *scanPart, b progressiveBlock) {
	switch {
	case s.first == 0 && s.high == 0:
		_, diff := d.bits.next(p.dc)
		p.pred += diff
		b.values[0] = int16(p.pred << s.low)
	case s.first == 0:
		if d.bits.take(1) != 0 {
			b.values[0] |= 1 << s.low
		}
	case s.high == 0 && d.endOfBands > 0:
		d.endOfBands--
	case s.high == 0:
		d.firstBits(s, p, b)
	default:
		d.refineBits(s, p, b)
	}
}

// firstBits decodes the upper bits of a band of coefficients.
func (d *decoder) firstBits(s *scan, p *scanPart, b progressiveBlock) {
	for k := s.first; k < s.end; k++ {
		run, value := d.bits.next(p.ac)
		if value == 0 && run != 15 {
			d.endOfBands = 1<<run + int(d.bits.take(run)) - 1
			return
		}
		k += run
		if value != 0 {
			b.set(k, int16(value<<s.low))
		}
	}
}

// refineBits decodes one more bit of a band of coefficients. Those that are not 0 yet have a correction bit each. Runs count the others.
func (d *decoder) refineBits(s *scan, p *scanPart, b progressiveBlock) {
	k := s.first
	for ; k < s.end && d.endOfBands == 0; k++ {
		run, value := d.bits.next(p.ac)
		if value == 0 && run != 15 {
			d.endOfBands = 1<<run + int(d.bits.take(run))
			break
		}
		k = d.correct(s, b, k, run)
		if value != 0 {
			value = max(min(value, 1), -1) // which it is, if the file is right
			b.set(k, int16(value<<s.low))
		}
	}
	if d.endOfBands > 0 {
		d.correct(s, b, k, 64)
		d.endOfBands--
	}
}

// correct reads the correction bits from coefficient k on. It returns the place of the zero behind run others, or the end of the band.
func (d *decoder) correct(s *scan, b progressiveBlock, k, run int) int {
	bit := int16(1) << s.low
	for last := min(int(*b.last), s.end-1); k <= last; k++ {
		c := &b.values[zigzag[k&127]&63]
		if *c == 0 {
			if run == 0 {
				return k
			}
			run--
			continue
		}
		if d.bits.take(1) == 0 || *c&bit != 0 {
			continue
		}
		if *c >= 0 {
			*c += bit
		} else {
			*c -= bit
		}
	}
	return min(k+run, s.end) // all others are zero
}

// finish transforms the blocks of a progressive image, and fills components that no scan had.
func (d *decoder) finish() {
	f := &d.frame
	for i := range f.components {
		c := &f.components[i]
		if !c.scanned {
			for j := range c.samples.pix {
				c.samples.pix[j] = 128
			}
			continue
		}
		if !f.progressive {
			continue
		}
		for y := range c.blocksY {
			for x := range c.blocksX {
				b := c.stored(x, y)
				c.transform(b.values, int(*b.last), x, y)
			}
		}
		c.coefs, c.last = nil, nil
	}
}
