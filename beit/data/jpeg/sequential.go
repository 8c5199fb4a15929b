package jpeg

// decodeBlock decodes a block of a scan, at column x and row y of the component's blocks. With dry set it has no data, and is zero.
func (d *decoder) decodeBlock(s *scan, p *scanPart, x, y int, dry bool) {
	if d.frame.progressive {
		if d.frame.arithmetic {
			d.decodeProgressiveArithmetic(s, p, p.stored(x, y))
		} else {
			d.decodeProgressive(s, p, p.stored(x, y))
		}
		return
	}
	last := 0
	if d.dirty {
		d.block = [64]int16{}
	}
	switch {
	case dry:
		d.block[0] = 0
	case d.frame.arithmetic:
		last = d.decodeArithmetic(p, &d.block)
	default:
		last = d.bits.sequential(p, &d.block)
	}
	d.dirty = last > 0
	p.transform(&d.block, last, x, y)
}

// sequential decodes a block into b, which is zero but for the first coefficient. It returns the place of the last coefficient in the order of the
// file.
func (r *bitReader) sequential(p *scanPart, b *[64]int16) (last int) {
	_, diff := r.next(p.dc)
	p.pred += diff
	b[0] = int16(p.pred)
	return r.coefficients(p.ac, b)
}

// coefficients decodes all coefficients but the first.
func (r *bitReader) coefficients(t *huffTable, b *[64]int16) (last int) {
	acc, n, pos := r.acc, uint(r.n), r.pos
	for k := uint(1); k < 64; {
		acc, n, pos = refilled(acc, n, pos, r.data)
		var e uint32
		for range 56 / lookBits { // so many entries need no more bits
			e = t.look[acc>>(64-lookBits)]
			if e>>16 == 0 {
				break
			}
			acc <<= e & 63
			n -= uint(e & 63)
			k += uint(e >> 8 & 15)
			b[zigzag[k&127]&63] = int16(e >> 16)
			last = int(k)
			if k++; k >= 64 {
				break
			}
		}
		if e>>16 != 0 {
			continue
		}
		if n < 32 {
			acc, n, pos = refilled(acc, n, pos, r.data)
		}
		e = t.rest(e, acc)
		acc <<= e & 63
		n -= uint(e & 63)
		run := uint(e >> 8 & 15)
		k += run
		if e>>16 != 0 {
			b[zigzag[k&127]&63] = int16(e >> 16)
			last = int(k)
		} else if run != 15 {
			break
		}
		k++
	}
	r.acc, r.n, r.pos = acc, int(n), pos
	return last
}
