package data

import "strings"

// faxRun is what the next bits of a fax row stand for: a run of pixels of one colour.
type faxRun struct {
	kind  faxKind
	width uint8 // bits of the code
	run   uint16
}

// faxKind is a kind of code for runs.
type faxKind uint8

const (
	faxBad    faxKind = iota // no code; it takes no bits
	faxEnds                  // a run, or the last part of one
	faxGoesOn                // a part of a run
	faxEOL                   // the zeros that an end of line begins with
)

// Codes of T.4 for the runs of 0 to 63 pixels, and for those of 64, 128 and so on to 1728.
const (
	faxWhiteShort = "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 " +
		"101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010 " +
		"00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 " +
		"00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100"
	faxWhiteLong = "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 " +
		"011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011"
	faxBlackShort = "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 " +
		"0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 " +
		"000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 000001101010 000001101011 000011010010 000011010011 " +
		"000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 " +
		"000001010110 000001010111 000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 " +
		"000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111"
	faxBlackLong = "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 " +
		"0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 " +
		"0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101"
	// faxBothLong are the codes of both colours from 1792 to 2560.
	faxBothLong = "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 " +
		"000000011100 000000011101 000000011110 000000011111"
	faxZeros = "00000000000"
)

// Bits that are looked at to find a code for a run.
const (
	faxWhiteBits = 12
	faxBlackBits = 13
)

var (
	faxWhite = faxTable(faxWhiteBits, faxWhiteShort, faxWhiteLong)
	faxBlack = faxTable(faxBlackBits, faxBlackShort, faxBlackLong)
)

// faxTable has an entry for each value of the next bits.
func faxTable(bits int, short, long string) []faxRun {
	table := make([]faxRun, 1<<bits)
	add := func(codes string, kind faxKind, first, step int) {
		for i, code := range strings.Fields(codes) {
			value := 0
			for _, c := range code {
				value = value<<1 | int(c-'0')
			}
			spare := bits - len(code)
			for low := range 1 << spare {
				table[value<<spare|low] = faxRun{kind, uint8(len(code)), uint16(first + i*step)}
			}
		}
	}
	add(short, faxEnds, 0, 1)
	add(long, faxGoesOn, 64, 64)
	add(faxBothLong, faxGoesOn, 1792, 64)
	add(faxZeros, faxEOL, 0, 0)
	return table
}

// faxMode is what a code of a row says that refers to the row above.
type faxMode uint8

const (
	faxPass faxMode = iota
	faxHorizontal
	faxVertical
	faxExtension
	faxRowEnd
)

// faxStep is a code of such a row.
type faxStep struct {
	mode  faxMode
	width uint8
	shift int8 // of a vertical code: pixels to the right
}

const faxStepBits = 7

// faxSteps has an entry for each value of the next 7 bits.
var faxSteps = func() (table [1 << faxStepBits]faxStep) {
	for i := range table {
		switch {
		case i>>6 == 1:
			table[i] = faxStep{faxVertical, 1, 0}
		case i>>4 == 0b011:
			table[i] = faxStep{faxVertical, 3, 1}
		case i>>4 == 0b010:
			table[i] = faxStep{faxVertical, 3, -1}
		case i>>4 == 0b001:
			table[i] = faxStep{mode: faxHorizontal, width: 3}
		case i>>3 == 0b0001:
			table[i] = faxStep{mode: faxPass, width: 4}
		case i>>1 == 0b000011:
			table[i] = faxStep{faxVertical, 6, 2}
		case i>>1 == 0b000010:
			table[i] = faxStep{faxVertical, 6, -2}
		case i == 0b0000011:
			table[i] = faxStep{faxVertical, 7, 3}
		case i == 0b0000010:
			table[i] = faxStep{faxVertical, 7, -3}
		case i == 0b0000001:
			table[i] = faxStep{mode: faxExtension, width: 7}
		default:
			table[i] = faxStep{mode: faxRowEnd, width: 7}
		}
	}
	return table
}()
