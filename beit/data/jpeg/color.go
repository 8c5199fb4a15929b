package jpeg

// colorModel says what the components mean.
type colorModel uint8

const (
	gray colorModel = iota
	ycc
	rgb
	cmyk // inverted, as Adobe stores it
	ycck
)

// chooseColor applies libjpeg's rules: a JFIF segment means YCbCr, Adobe's segment says what it is, and else the ids of the components tell.
func (d *decoder) chooseColor() {
	f := &d.frame
	switch n := len(f.components); {
	case n == 1:
		f.color = gray
	case n == 4 && d.adobe && d.transform != 0:
		f.color = ycck
	case n == 4:
		f.color = cmyk
	case d.jfif:
		f.color = ycc
	case d.adobe && d.transform == 0, !d.adobe && d.ids() == "RGB":
		f.color = rgb
	default:
		f.color = ycc
	}
}

// ids returns the component ids as text.
func (d *decoder) ids() string {
	var b []byte
	for _, c := range d.frame.components {
		b = append(b, c.id)
	}
	return string(b)
}

// yccRow converts a row of YCbCr by the equations of JFIF with 16 fractional bits, rounded as libjpeg does.
func yccRow(dst, luma, cb, cr []uint8) {
	n := yccFast(dst, luma, cb, cr)
	yccGeneric(dst[3*n:], luma[n:], cb[n:], cr[n:])
}

func yccGeneric(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		yy, b, r := int32(l), int32(cb[x])-128, int32(cr[x])-128
		p := dst[:3:3]
		dst = dst[3:]
		p[0] = clip(yy + (91881*r+32768)>>16)
		p[1] = clip(yy + (-22554*b-46802*r+32768)>>16)
		p[2] = clip(yy + (116130*b+32768)>>16)
	}
}

func grayRow(dst, src []uint8) {
	for x, v := range src {
		dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
	}
}

func rgbRow(dst, r, g, b []uint8) {
	g, b = g[:len(r)], b[:len(r)]
	for x, v := range r {
		dst[3*x], dst[3*x+1], dst[3*x+2] = v, g[x], b[x]
	}
}

// inkRow turns the light that the first three inks let through, in dst, into RGB, as Pillow does. black is the light that passes the black ink.
// Each product is rounded to steps of 1/255.
func inkRow(dst, black []uint8) {
	for x, k := range black {
		light := int32(k)
		for c := range 3 {
			t := (255-int32(dst[3*x+c]))*light + 128
			dst[3*x+c] = clip(light - (t>>8+t)>>8)
		}
	}
}

func invert(row []uint8) {
	for i, v := range row {
		row[i] = 255 - v
	}
}

func clip(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
