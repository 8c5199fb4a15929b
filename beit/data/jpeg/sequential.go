package jpeg

import "encoding/binary"

// decodeBlock decodes a block of a scan, at column x and row y of the component's blocks.
func (d *decoder) decodeBlock(s *scan, p *scanPart, x, y int, dry bool) {
	if d.frame.progressive {
		if !dry {
			d.decodeProgressive(s, p, (*[64]int16)(p.coefs[64*(y*p.strideX+x):]))
		}
		return
	}
	row := y - d.frame.mcuRows[0]*p.v
	wanted := row >= 0 && y < d.frame.mcuRows[1]*p.v
	last := 0
	d.block = [64]int16{}
	if !dry {
		last = d.decodeSequential(p)
	}
	if wanted {
		p.transform(&d.block, last, x, row)
	}
}

// decodeSequential decodes d.block, which is zero, and returns the place of its last coefficient in the order of the file.
func (d *decoder) decodeSequential(p *scanPart) (last int) {
	_, diff := d.bits.next(p.dc)
	p.pred += diff
	b, t := &d.block, p.ac
	b[0] = int16(p.pred)
	r := &d.bits
	acc, n, pos, data := r.acc, uint(r.n), r.pos, r.data
	for k := uint(1); k < 64; {
		if n < 32 {
			if uint(pos) <= uint(len(data)-padding) {
				acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
			}
			pos += int(63-n) >> 3
			n |= 56
		}
		e := t.look[acc>>(64-lookBits)]
		if e>>16 == 0 {
			e = t.rest(e, acc)
		}
		used := uint(e & 63)
		acc <<= used
		n -= used
		k += uint(e >> 8 & 15)
		if e>>16 == 0 {
			if e>>8&15 != 15 {
				break
			}
			k++
			continue
		}
		last = int(k)
		b[zigzag[k&127]&63] = int16(e >> 16)
		k++
	}
	r.acc, r.n, r.pos = acc, int(n), pos
	return last
}
