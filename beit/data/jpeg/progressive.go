package jpeg

// decodeProgressive decodes what a scan says of a block: ISO/IEC 10918-1, G.1.2.
func (d *decoder) decodeProgressive(s *scan, p *scanPart, b *[64]int16) {
	switch {
	case s.first == 0 && s.high == 0:
		_, diff := d.bits.next(p.dc)
		p.pred += diff
		b[0] = int16(p.pred << s.low)
	case s.first == 0:
		if d.bits.take(1) != 0 {
			b[0] |= 1 << s.low
		}
	case d.endOfBands > 0 && s.high == 0:
		d.endOfBands--
	case s.high == 0:
		d.firstBits(s, p, b)
	default:
		d.refineBits(s, p, b)
	}
}

// firstBits decodes the upper bits of a band of coefficients.
func (d *decoder) firstBits(s *scan, p *scanPart, b *[64]int16) {
	for k := s.first; k < s.end; k++ {
		run, value := d.bits.next(p.ac)
		if value == 0 && run != 15 {
			d.endOfBands = 1<<run + int(d.bits.take(run)) - 1
			return
		}
		k += run
		if value != 0 {
			b[zigzag[k&127]&63] = int16(value << s.low)
		}
	}
}

// refineBits decodes one more bit of a band of coefficients. Those that are not 0 yet have a correction bit each. Runs count the others.
func (d *decoder) refineBits(s *scan, p *scanPart, b *[64]int16) {
	k := s.first
	for ; k < s.end && d.endOfBands == 0; k++ {
		run, value := d.bits.next(p.ac)
		if value == 0 && run != 15 {
			d.endOfBands = 1<<run + int(d.bits.take(run))
			break
		}
		if value != 0 { // 1 or -1, if the file is right
			value = max(min(value, 1), -1)
		}
		k = d.correct(s, b, k, run)
		if value != 0 {
			b[zigzag[k&127]&63] = int16(value << s.low)
		}
	}
	if d.endOfBands > 0 {
		d.correct(s, b, k, 64)
		d.endOfBands--
	}
}

// correct reads the correction bits from coefficient k on, and returns the place of the zero behind run others, or the end of the band.
func (d *decoder) correct(s *scan, b *[64]int16, k, run int) int {
	bit := int16(1) << s.low
	for ; k < s.end; k++ {
		c := &b[zigzag[k&127]&63]
		if *c == 0 {
			if run == 0 {
				break
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
	return k
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
		for row := range (f.mcuRows[1] - f.mcuRows[0]) * c.v {
			y := row + f.mcuRows[0]*c.v
			if y >= c.blocksY {
				break
			}
			for x := range c.blocksX {
				b := (*[64]int16)(c.coefs[64*(y*c.strideX+x):])
				c.transform(b, 63, x, row)
			}
		}
		c.coefs = nil
	}
}
