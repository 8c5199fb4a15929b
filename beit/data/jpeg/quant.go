package jpeg

import (
	"encoding/binary"
	"errors"
)

// quantTable holds the step of each coefficient, in natural order.
type quantTable struct {
	step    [64]int16 // products wrap at 16 bits, as those of libjpeg-turbo do
	defined bool
}

// zigzag maps the order in the file to rows and columns. A run of zeros may lead past the last coefficient: what follows is written there.
var zigzag = makeZigzag()

func makeZigzag() (z [128]uint8) {
	x, y := 0, 0
	for i := range 64 {
		z[i] = uint8(8*y + x)
		switch up := (x+y)%2 == 0; {
		case up && x == 7, !up && y < 7 && x == 0:
			y++
		case up && y == 0, !up && y == 7:
			x++
		case up:
			x, y = x+1, y-1
		default:
			x, y = x-1, y+1
		}
	}
	for i := 64; i < len(z); i++ {
		z[i] = 63
	}
	return z
}

// readQuant reads tables of quantisation: ISO/IEC 10918-1, B.2.4.1.
func (d *decoder) readQuant(body []byte) error {
	for len(body) > 0 {
		id, wide := body[0]&15, body[0]>>4 != 0
		size := 64
		if wide {
			size = 128
		}
		if id > 3 || len(body) < 1+size {
			return errors.New("damaged quantisation table")
		}
		t := &d.quant[id]
		t.defined = true
		for i := range 64 {
			if wide {
				t.step[zigzag[i]] = int16(binary.BigEndian.Uint16(body[1+2*i:]))
			} else {
				t.step[zigzag[i]] = int16(body[1+i])
			}
		}
		body = body[1+size:]
	}
	return nil
}
