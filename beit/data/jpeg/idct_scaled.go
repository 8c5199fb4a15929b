package jpeg

// Constants of the inverse DCTs that average 2 x 2 or 4 x 4 samples of the full one, with 13 fractional bits. An average of neighbours needs no
// coefficient 4 of a row or column. The average of four needs none but the first and the odd ones.
const (
	r0211 = 1730  // 0.211164243
	r0509 = 4176  // 0.509795579
	r0601 = 4926  // 0.601344887
	r0720 = 5906  // 0.720959822
	r0850 = 6967  // 0.850430095
	r1061 = 8697  // 1.061594337
	r1272 = 10426 // 1.272758580
	r1451 = 11893 // 1.451774981
	r2172 = 17799 // 2.172734803
	r3624 = 29692 // 3.624509785
)

// idct4 writes 4 x 4 samples, rows stride apart.
func idct4(dst []uint8, stride int, b, step *[64]int16) {
	_ = dst[3*stride+3]
	if !idct4Fast(dst, stride, b, step) {
		idct4Generic(dst, stride, b, step)
	}
}

func idct4Generic(dst []uint8, stride int, b, step *[64]int16) {
	var work [4][8]int32
	for x := range 8 {
		if x == 4 {
			continue
		}
		var in [8]int32
		for y := range in {
			in[y] = int32(b[8*y+x] * step[8*y+x])
		}
		for y, v := range average4(&in, constBits-passBits+1) {
			work[y][x] = clip16(v)
		}
	}
	for y := range work {
		row := dst[y*stride : y*stride+4]
		for x, v := range average4(&work[y], constBits+passBits+3+1) {
			row[x] = clip(v + 128)
		}
	}
}

// average4 transforms 8 values to 4 and drops shift bits, rounded.
func average4(in *[8]int32, shift uint) [4]int32 {
	even := in[0]<<(constBits+1) + 1<<(shift-1)
	z := in[2]*c1847 - in[6]*c0765
	a0, a1 := even+z, even-z
	b0 := in[1]*c2562 + in[3]*c0899 - in[5]*r0601 - in[7]*r0509
	b1 := in[1]*r1061 - in[3]*r2172 + in[5]*r1451 - in[7]*r0211
	return [4]int32{(a0 + b0) >> shift, (a1 + b1) >> shift, (a1 - b1) >> shift, (a0 - b0) >> shift}
}

// idct2 writes 2 x 2 samples, rows stride apart.
func idct2(dst []uint8, stride int, b, step *[64]int16) {
	_ = dst[stride+1]
	if !idct2Fast(dst, stride, b, step) {
		idct2Generic(dst, stride, b, step)
	}
}

func idct2Generic(dst []uint8, stride int, b, step *[64]int16) {
	var work [2][8]int32
	for x := range 8 {
		if x != 0 && x%2 == 0 {
			continue
		}
		var in [8]int32
		for y := range in {
			in[y] = int32(b[8*y+x] * step[8*y+x])
		}
		for y, v := range average2(&in, constBits-passBits+2) {
			work[y][x] = clip16(v)
		}
	}
	for y := range work {
		row := dst[y*stride : y*stride+2]
		for x, v := range average2(&work[y], constBits+passBits+3+2) {
			row[x] = clip(v + 128)
		}
	}
}

// average2 transforms 8 values to 2 and drops shift bits, rounded.
func average2(in *[8]int32, shift uint) [2]int32 {
	even := in[0]<<(constBits+2) + 1<<(shift-1)
	odd := in[1]*r3624 - in[3]*r1272 + in[5]*r0850 - in[7]*r0720
	return [2]int32{(even + odd) >> shift, (even - odd) >> shift}
}
