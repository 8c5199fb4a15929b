package jpeg

import (
	"bytes"
	"errors"
)

// lookBits is how many bits a huffTable looks up at once.
const lookBits = 11

// huffTable is a Huffman code. Its symbols are a run of zeros (4 bits) and the number of bits of the value behind it (4 bits).
type huffTable struct {
	defined bool
	built   bool
	counts  [17]uint8 // codes of each length
	symbols [256]uint8

	// look holds an entry for each combination of the next lookBits bits. The low byte of an entry is the number of bits to consume.
	//
	//   - Code and value are both among the bits: the value in the upper 16 bits, the run in the second byte.
	//   - Only the code is, or the symbol has no value: 0 in the upper 16 bits, the symbol in the second byte.
	//   - The code is longer: 0.
	look [1 << lookBits]uint32
	// last is the largest code of each length, left-aligned in 16 bits with ones behind it, and -1 where there is none.
	last [18]int32
	// offset plus a code is the place of its symbol.
	offset [17]int32
}

// readHuffman reads Huffman tables: ISO/IEC 10918-1, B.2.4.2.
func (d *decoder) readHuffman(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return errDamagedHuffman
		}
		class, id := body[0]>>4, body[0]&15
		if class > 1 || id > 3 {
			return errDamagedHuffman
		}
		total := 0
		for _, n := range body[1:17] {
			total += int(n)
		}
		if total > 256 || len(body) < 17+total {
			return errDamagedHuffman
		}
		d.huff[class][id].define(body[1:17], body[17:17+total])
		body = body[17+total:]
	}
	return nil
}

var errDamagedHuffman = errors.New("damaged Huffman table")

// define gives the table its content. Look-up tables that were built for the same content before, for another file perhaps, stay.
func (t *huffTable) define(counts, symbols []byte) {
	same := t.built && bytes.Equal(t.counts[1:], counts) && bytes.Equal(t.symbols[:len(symbols)], symbols)
	t.defined, t.built = true, same
	copy(t.counts[1:], counts)
	clear(t.symbols[copy(t.symbols[:], symbols):])
}

// build makes the look-up tables, when a scan uses the table. Symbols are at most limit.
func (t *huffTable) build(limit uint8) error {
	if t.built {
		return nil
	}
	clear(t.look[:])
	code, k := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(t.counts[length])
		if code+n > 1<<length {
			return errDamagedHuffman
		}
		t.offset[length] = k - code
		for range n {
			if t.symbols[k&255] > limit {
				return errDamagedHuffman
			}
			if length <= lookBits {
				t.fill(code<<(lookBits-length), length, t.symbols[k&255])
			}
			code++
			k++
		}
		t.last[length] = -1
		if n > 0 {
			t.last[length] = code<<(16-length) - 1
		}
		code <<= 1
	}
	t.last[17] = 1<<16 - 1 // no code: stops the search
	t.built = true
	return nil
}

// fill writes the entries that begin with a code.
func (t *huffTable) fill(first int32, length int, symbol uint8) {
	free := lookBits - length
	size := int(symbol & 15)
	for i := range int32(1) << free {
		e := uint32(symbol)<<8 | uint32(length)
		if size > 0 && size <= free {
			value := extend(i>>(free-size), size)
			e = uint32(value)<<16 | uint32(symbol>>4)<<8 | uint32(length+size)
		}
		t.look[first+i] = e
	}
}

// extend turns size bits into a value: those that begin with 0 are negative.
func extend(bits int32, size int) int32 {
	if bits < 1<<(size-1) {
		bits += -1<<size + 1
	}
	return bits
}

// rest completes the entry e, which has no value, from the next bits. It returns an entry of the first kind, or of the second for a symbol without
// value. A code that is not in the table is 17 bits of symbol 0, as in libjpeg.
func (t *huffTable) rest(e uint32, bits uint64) uint32 {
	symbol, length := e>>8&255, e&63
	if length == 0 {
		symbol, length = t.longCode(int32(bits >> 48))
	}
	size := int(symbol & 15)
	if size == 0 {
		return symbol>>4<<8 | length
	}
	value := extend(int32(bits<<length>>32>>(32-size)), size)
	return uint32(value)<<16 | symbol>>4<<8 | (length + uint32(size))
}

// longCode decodes the code of more than lookBits bits at the head of 16.
func (t *huffTable) longCode(head int32) (symbol, length uint32) {
	length = lookBits + 1
	for head > t.last[length] {
		length++
	}
	if length > 16 {
		return 0, length
	}
	return uint32(t.symbols[(head>>(16-length)+t.offset[length])&255]), length
}
