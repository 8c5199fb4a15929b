package state

import "slices"

// Unlike says how the elements in a file differ from a tensor's. PyTorch saves a
// tensor that is to be negated, or conjugated, when it is used.
type Unlike struct {
	Negative  bool // the file has the negated numbers
	Conjugate bool // the file has the conjugate numbers
}

// undo makes the elements of a file those of the tensor.
func (u Unlike) undo(b []byte, d DType) {
	part, complex := d.Size(), false
	switch d {
	case C64, C128:
		part, complex = part/2, true
	case BOOL: // has no sign
		return
	}
	if part == 0 {
		return
	}
	i := 0
	for number := range slices.Chunk(b, part) {
		if imaginary := complex && i%2 == 1; u.Negative != (imaginary && u.Conjugate) {
			negate(number, d)
		}
		i++
	}
}

// negate changes the sign of a little-endian number: the top bit of a float, the
// two's complement of an integer.
func negate(number []byte, d DType) {
	if !d.integer() {
		number[len(number)-1] ^= 0x80
		return
	}
	carry := true
	for i := range number {
		number[i] = ^number[i]
		if carry {
			number[i]++
			carry = number[i] == 0
		}
	}
}
