package jpeg

// Constants of the inverse DCT of Loeffler, Ligtenberg and Moschytz (ICASSP 1989), with 13 fractional bits: sums of products of cosines, as
// libjpeg's accurate integer method combines and rounds them.
const (
	constBits = 13
	passBits  = 2 // kept between the two passes

	c0541 = 4433  // 0.541196100
	c0765 = 6270  // 0.765366865
	c1847 = 15137 // 1.847759065

	c1175 = 9633  // 1.175875602
	c0298 = 2446  // 0.298631336
	c2053 = 16819 // 2.053119869
	c3072 = 25172 // 3.072711026
	c1501 = 12299 // 1.501321110
	c0899 = 7373  // 0.899976223
	c2562 = 20995 // 2.562915447
	c1961 = 16069 // 1.961570560
	c0390 = 3196  // 0.390180644
)

// transform writes a block to column x and row y of the component's blocks. last is the place of the last coefficient in the order of the file.
func (c *component) transform(b *[64]int16, last, x, y int) {
	dst := c.samples.pix[c.side*(y*c.samples.stride+x):]
	switch {
	case last == 0 || c.side == 1:
		flat(dst, c.samples.stride, c.side, b[0]*c.quant.step[0])
	case c.side == 8:
		idct(dst, c.samples.stride, b, &c.quant.step)
	case c.side == 4:
		idct4(dst, c.samples.stride, b, &c.quant.step)
	default:
		idct2(dst, c.samples.stride, b, &c.quant.step)
	}
}

// flat is the inverse DCT of a block that has only its first coefficient.
func flat(dst []uint8, stride, side int, dc int16) {
	v := clip((int32(dc)+4)>>3 + 128)
	for y := range side {
		row := dst[y*stride : y*stride+side]
		for x := range row {
			row[x] = v
		}
	}
}

// idct writes 8 x 8 samples, rows stride apart.
func idct(dst []uint8, stride int, b, step *[64]int16) {
	_ = dst[7*stride+7]
	if !idctFast(dst, stride, b, step) {
		idctGeneric(dst, stride, b, step)
	}
}

func idctGeneric(dst []uint8, stride int, b, step *[64]int16) {
	var work [64]int16
	for x := range 8 {
		var in [8]int32
		for y := range in {
			in[y] = int32(b[8*y+x] * step[8*y+x])
		}
		out := idct8(&in, constBits-passBits)
		for y, v := range out {
			work[8*y+x] = int16(clip16(v))
		}
	}
	for y := range 8 {
		var in [8]int32
		for x := range in {
			in[x] = int32(work[8*y+x])
		}
		out := idct8(&in, constBits+passBits+3)
		row := dst[y*stride : y*stride+8]
		for x, v := range out {
			row[x] = clip(v + 128)
		}
	}
}

// clip16 bounds what the first pass leaves. Values of undamaged files are far smaller.
func clip16(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }

// idct8 transforms 8 values and drops shift bits, rounded.
func idct8(in *[8]int32, shift uint) [8]int32 {
	half := int32(1) << (shift - 1)
	even0, even1 := (in[0]+in[4])<<constBits+half, (in[0]-in[4])<<constBits+half
	z := (in[2] + in[6]) * c0541
	even2, even3 := z-in[6]*c1847, z+in[2]*c0765
	a0, a3, a1, a2 := even0+even3, even0-even3, even1+even2, even1-even2

	z1, z2, z3, z4 := in[7]+in[1], in[5]+in[3], in[7]+in[3], in[5]+in[1]
	z = (z3 + z4) * c1175
	z1, z2, z3, z4 = -c0899*z1, -c2562*z2, z-c1961*z3, z-c0390*z4
	b0 := in[1]*c1501 + z1 + z4
	b1 := in[3]*c3072 + z2 + z3
	b2 := in[5]*c2053 + z2 + z4
	b3 := in[7]*c0298 + z1 + z3
	return [8]int32{
		(a0 + b0) >> shift, (a1 + b1) >> shift, (a2 + b2) >> shift, (a3 + b3) >> shift,
		(a3 - b3) >> shift, (a2 - b2) >> shift, (a1 - b1) >> shift, (a0 - b0) >> shift,
	}
}
