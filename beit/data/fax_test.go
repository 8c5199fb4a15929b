package data

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// bitsOf packs a text of zeros and ones, in which spaces do not count.
func bitsOf(text string) []byte {
	text = strings.ReplaceAll(text, " ", "")
	b := make([]byte, (len(text)+7)/8)
	for i, c := range text {
		b[i/8] |= byte(c-'0') << (7 - i%8)
	}
	return b
}

// shown returns rows as lines of dots and crosses.
func shown(b []byte, width int) string {
	var s strings.Builder
	stride := (width + 7) / 8
	for i := range len(b) / stride * width {
		x, y := i%width, i/width
		s.WriteByte(".x"[b[y*stride+x/8]>>(7-x%8)&1])
		if x == width-1 {
			s.WriteByte(' ')
		}
	}
	return strings.TrimSpace(s.String())
}

func TestFax(t *testing.T) {
	const eol, w3, b2, w5, b1, w2 = "000000000001", "1000", "11", "1100", "010", "0111"
	row := w3 + b2 + w5 // ...xx.....
	for _, c := range []struct {
		name   string
		coding faxCoding
		bits   string
		rows   int
		want   string
	}{
		{"rows at bytes", faxRows, row + "000000" + row, 2, "...xx..... ...xx....."},
		{"T.4", fax3, eol + row + eol + "10011 " /* 8 */ + b2, 2, "...xx..... ........xx"},
		{"T.4 with zeros before the end of line", fax3, eol + row + "0000000" + eol + row, 2, "...xx..... ...xx....."},
		{"T.4 with a damaged row", fax3, eol + w3 + "00000000111" + eol + row, 2, ".......... ...xx....."},
		{"T.4 with a short row", fax3, eol + w3 + b2 + eol + row, 2, "...xx..... ...xx....."},
		{"T.4 mixed", fax3Mixed, eol + "1" + row + eol + "0" + "1 011 1" /* at, one right of, at the end */, 2, "...xx..... ...xxx...."},
		{"T.6", fax4, "001" + w3 + b2 + "1" + "1 1 1" + "010 000011 1", 3, "...xx..... ...xx..... ..xxxxx..."},
		{"T.6 pass", fax4, "001" + w3 + b2 + "1" + "0001 1", 2, "...xx..... .........."},
		{"T.6 with a damaged row", fax4, "001" + w3 + "000000001 " + "1", 1, ".........."},
		{"T.6 cut short", fax4, "001" + w3 + b2 + "1", 2, "unexpected EOF"},
	} {
		out := make([]byte, 2*c.rows)
		_, err := io.ReadFull(newFaxReader(bitsOf(c.bits), c.coding, 10), out)
		got := shown(out, 10)
		if err != nil {
			got = fmt.Sprint(err)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// No code begins like another one.
func TestFaxCodes(t *testing.T) {
	for _, texts := range [][2]string{{faxWhiteShort, faxWhiteLong}, {faxBlackShort, faxBlackLong}} {
		codes := strings.Fields(texts[0] + " " + texts[1] + " " + faxBothLong + " " + faxZeros)
		if len(codes) != 64+27+13+1 {
			t.Fatalf("%d codes", len(codes))
		}
		for i, a := range codes {
			for j, b := range codes {
				if i != j && strings.HasPrefix(a, b) {
					t.Errorf("code %s begins with code %s", a, b)
				}
			}
		}
	}
}

func FuzzFax(f *testing.F) {
	f.Add(bitsOf("001 1000 11 1 1 1 1 0001 1"), uint8(3), uint16(10))
	f.Add(bitsOf("000000000001 1000 11 1100 000000000001 1000 11 1100"), uint8(1), uint16(10))
	f.Add(bytes.Repeat([]byte{0x5a, 0x00}, 40), uint8(2), uint16(700))
	f.Fuzz(func(t *testing.T, b []byte, coding uint8, width uint16) {
		if width == 0 {
			return
		}
		row := make([]byte, (int(width)+7)/8)
		r := newFaxReader(b, faxCoding(coding%4), int(width))
		for range 1 << 10 {
			if _, err := io.ReadFull(r, row); err != nil {
				return
			}
			if most := 4*int(width) + 256; len(r.runs.list) > most || len(r.above.list) > most {
				t.Fatalf("%d and %d runs in a row of %d pixels", len(r.runs.list), len(r.above.list), width)
			}
		}
	})
}
