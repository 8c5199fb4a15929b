package main

import "testing"

// The wanted bytes are those of the GNU assembler.
func TestEVEX(t *testing.T) {
	for _, c := range []struct {
		text                     string
		prefix, op, rm, vvvv, to int
		want                     [6]byte
	}{
		{"VDPBF16PS Z3, Z2, Z1", prefixF3, opDot, 3, 2, 1, [6]byte{0x62, 0xf2, 0x6e, 0x48, 0x52, 0xcb}},
		{"VDPBF16PS Z31, Z0, Z15", prefixF3, opDot, 31, 0, 15, [6]byte{0x62, 0x12, 0x7e, 0x48, 0x52, 0xff}},
		{"VDPBF16PS Z8, Z16, Z24", prefixF3, opDot, 8, 16, 24, [6]byte{0x62, 0x42, 0x7e, 0x40, 0x52, 0xc0}},
		{"VDPBF16PS Z16, Z31, Z7", prefixF3, opDot, 16, 31, 7, [6]byte{0x62, 0xb2, 0x06, 0x40, 0x52, 0xf8}},
		{"VCVTNE2PS2BF16 Z3, Z2, Z1", prefixF2, opConvert, 3, 2, 1, [6]byte{0x62, 0xf2, 0x6f, 0x48, 0x72, 0xcb}},
		{"VCVTNE2PS2BF16 Z29, Z11, Z18", prefixF2, opConvert, 29, 11, 18, [6]byte{0x62, 0x82, 0x27, 0x48, 0x72, 0xd5}},
		{"VCVTNE2PS2BF16 Z0, Z31, Z12", prefixF2, opConvert, 0, 31, 12, [6]byte{0x62, 0x72, 0x07, 0x40, 0x72, 0xe0}},
	} {
		if got := evex(c.prefix, c.op, c.to, c.vvvv, c.rm); got != c.want {
			t.Errorf("%s is % x, want % x", c.text, got, c.want)
		}
	}
}
