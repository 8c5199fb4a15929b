package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
)

// chunk is a PNG chunk with its checksum.
func chunk(name string, body []byte) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name...)
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// deflated compresses rows of RGB, each with filter 0.
func deflated(rows ...[]byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	for _, r := range rows {
		z.Write(append([]byte{0}, r...))
	}
	z.Close()
	return b.Bytes()
}

// tinyPNG is an RGB image of 2x3 pixels with given chunks.
func tinyPNG(chunks ...[]byte) []byte {
	header := chunk("IHDR", []byte{0, 0, 0, 2, 0, 0, 0, 3, 8, 2, 0, 0, 0})
	return append([]byte("\x89PNG\r\n\x1a\n"), append(header, bytes.Join(chunks, nil)...)...)
}

// flipped has the lowest bit of one byte changed, counted from the end.
func flipped(b []byte, fromEnd int) []byte {
	b = bytes.Clone(b)
	b[len(b)-fromEnd] ^= 1
	return b
}

func TestDecodePNGDamage(t *testing.T) {
	rows := [][]byte{{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}, {13, 14, 15, 16, 17, 18}}
	want := bytes.Join(rows, nil)
	data := deflated(rows...)
	short := append(bytes.Join(rows[:2], nil), make([]byte, 6)...)
	for _, c := range []struct {
		name    string
		content []byte
		want    []byte // nil: refused
		text    string
	}{
		{"whole", tinyPNG(chunk("IDAT", data), chunk("IEND", nil)), want, ""},
		{"wrong Adler-32 in a whole chunk", tinyPNG(chunk("IDAT", flipped(data, 1))), want, ""},
		{"wrong Adler-32 in a damaged chunk", tinyPNG(flipped(chunk("IDAT", flipped(data, 1)), 1)), nil, "the pixels are damaged: zlib: invalid checksum"},
		{"wrong checksum of IDAT", tinyPNG(flipped(chunk("IDAT", data), 1)), want, ""},
		{"no Adler-32", tinyPNG(chunk("IDAT", data[:len(data)-4])), want, ""},
		{"IDAT announces more", tinyPNG(append([]byte{0, 0, 9, 9}, chunk("IDAT", data)[4:]...)), want, ""},
		{"another row", tinyPNG(chunk("IDAT", deflated(append(rows, rows[0])...))), want, ""},
		{"a row is missing", tinyPNG(chunk("IDAT", deflated(rows[:2]...))), short, ""},
		{"no rows", tinyPNG(chunk("IDAT", deflated())), nil, "row 0 of 3 is missing"},
		{"half a row", tinyPNG(chunk("IDAT", deflated(rows[0], rows[1][:2]))), nil, "row 1 of 3 is missing"},
		{"wrong checksum of a text before", tinyPNG(flipped(chunk("tEXt", []byte("a\x00b")), 1), chunk("IDAT", data)), want, ""},
		{"wrong checksum of the header", append(flipped(tinyPNG(), 1), chunk("IDAT", data)...), nil, "the header IHDR is damaged"},
		{"a chunk between", tinyPNG(chunk("IDAT", data[:9]), chunk("tEXt", nil), chunk("IDAT", data[9:])), nil, "cut short"},
		{"no pixels", tinyPNG(chunk("IEND", nil)), nil, "the pixels (IDAT) are missing"},
		{"no header", append([]byte("\x89PNG\r\n\x1a\n"), chunk("IDAT", data)...), nil, "the header IHDR is missing"},
		{"name of a chunk", tinyPNG(chunk("1DAT", data)), nil, `a chunk has the name "1DAT"`},
		{"no zlib", tinyPNG(chunk("IDAT", []byte("nothing of the kind"))), nil, "zlib: invalid header"},
	} {
		m, err := Decode(c.content, DefaultLimits)
		switch {
		case c.want == nil && (err == nil || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: error %v should contain %q", c.name, err, c.text)
		case c.want != nil && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != nil && !bytes.Equal(m.Pix, c.want):
			t.Errorf("%s: %v, want %v", c.name, m.Pix, c.want)
		}
	}
}

// The compressed data may end in the bits of the last row, but not before them.
func TestDecodePNGEnd(t *testing.T) {
	m := NewRGB(40, 30)
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7)
	}
	whole := encodePNG(t, m)
	end := bytes.Index(whole, []byte("IEND")) - 4 - 4 - 4 // before the checksums
	last := 0
	for n := end; n > end-16; n-- {
		got, err := Decode(whole[:n], DefaultLimits)
		if err == nil && !bytes.Equal(got.Pix, m.Pix) {
			t.Fatalf("cut by %d bytes: other pixels", end-n)
		}
		if err == nil {
			last = end - n
		}
	}
	if last < 1 || last > 8 { // the encoder ends with an empty block
		t.Errorf("read though %d bytes are missing", last)
	}
}

// Rows are bounded before memory for them is allocated.
func TestDecodePNGLongRow(t *testing.T) {
	_, err := Decode(append(pngHeader(100_000_000, 1), make([]byte, 20_000)...), DefaultLimits)
	if err == nil || !strings.Contains(err.Error(), "rows of 100000000 pixels with 24 bits") {
		t.Errorf("error is %v", err)
	}
}

// Content that is cut short is decoded once.
func TestDecodePNGCutShortOnce(t *testing.T) {
	m := NewRGB(1000, 1000)
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7)
	}
	content := encodePNG(t, m)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := decodePNG(content[:len(content)/2])
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error is %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(2*len(m.Pix)) {
		t.Errorf("%d bytes allocated for an image of %d", used, len(m.Pix))
	}
}
