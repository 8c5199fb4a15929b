package jpeg

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// edited returns a file of testdata after replacing the first old by new.
func edited(t testing.TB, name, old, new string) []byte {
	t.Helper()
	b := read(t, name)
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s does not contain %x", name, old)
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// without returns a file of testdata without the segments of a marker.
func without(t testing.TB, name string, marker uint8) []byte {
	t.Helper()
	b := read(t, name)
	out, at := bytes.Clone(b[:2]), 2
	for b[at+1] != sos {
		size := 2 + int(b[at+2])<<8 + int(b[at+3])
		if b[at+1] != marker {
			out = append(out, b[at:at+size]...)
		}
		at += size
	}
	return append(out, b[at:]...)
}

func TestErrors(t *testing.T) {
	whole := read(t, "420.jpg")
	scan := bytes.Index(whole, []byte{0xff, sos})
	const size = "\x00\x25\x00\x35" // 37 rows, 53 columns
	for _, c := range []struct {
		name, text string
		content    []byte
	}{
		{"nothing", "not a JPEG file", nil},
		{"text", "not a JPEG file", []byte("hello")},
		{"two bytes", "not a JPEG file", []byte{0xff, soi}},
		{"no frame", "holds no image", []byte{0xff, soi, 0xff, eoi}},
		{"cut in a table", "truncated: it ends in the segment", whole[:100]},
		{"cut in the scan", "truncated: it ends inside the compressed data", whole[:scan+200]},
		{"cut before the end marker", "truncated", whole[:len(whole)-2]},
		{"cut in the end marker", "truncated", whole[:len(whole)-1]},
		{"progressive without end marker", "truncated", read(t, "420-progressive.jpg")[:len(read(t, "420-progressive.jpg"))-2]},
		{"no rows", "the size is 53x0", edited(t, "420.jpg", size, "\x00\x00\x00\x35")},
		{"12 bits", "samples of 12 bits", edited(t, "420.jpg", "\x08"+size, "\x0c"+size)},
		{"two components", "does not fit its number", edited(t, "420.jpg", size+"\x03", size+"\x02")},
		{"factor 0", "component 2 has sampling factors 0x1", edited(t, "420.jpg", "\x02\x11\x01", "\x02\x01\x01")},
		{"factor 5", "component 2 has sampling factors 5x1", edited(t, "420.jpg", "\x02\x11\x01", "\x02\x51\x01")},
		{"arithmetic without end marker", "truncated", read(t, "arithmetic.jpg")[:len(read(t, "arithmetic.jpg"))-2]},
		{"arithmetic and lossless", "hierarchical or lossless", edited(t, "arithmetic.jpg", "\xff\xc9", "\xff\xcb")},
		{"conditioning of table 32", "conditioning", edited(t, "arithmetic.jpg", "\xff\xcc\x00\x0a\x00", "\xff\xcc\x00\x0a\x20")},
		{"lossless", "lossless JPEG", edited(t, "420.jpg", "\xff\xc0", "\xff\xc3")},
		{"hierarchical", "hierarchical", edited(t, "420.jpg", "\xff\xc0", "\xff\xc5")},
		{"unknown marker", "unknown marker FF 02", edited(t, "420.jpg", "\xff\xc0", "\xff\x02")},
		{"second header", "a second frame header", edited(t, "420.jpg", "\xff\xc4", "\xff\xc0\x00\x08\x08"+size+"\x00\xff\xc4")},
		{"no quantisation table", "quantisation table 0 is missing", without(t, "420.jpg", dqt)},
		{"no frame header", "before the frame header", without(t, "420.jpg", sof0)},
		{"progressive without Huffman tables", "DC Huffman table 0 is missing", without(t, "420-progressive.jpg", dht)},
		{"too many codes", "damaged Huffman table", edited(t, "420.jpg", "\xff\xc4\x00\x1f\x00\x00", "\xff\xc4\x00\x1f\x00\x03")},
		{"scan of another component", "component id 9", edited(t, "420.jpg", "\x03\x01\x00", "\x03\x09\x00")},
		{"progressive scan backwards", "there is no such scan", edited(t, "420-progressive.jpg", "\x01\x05\x02", "\x06\x05\x02")},
	} {
		_, err := Decode(c.content, 1)
		if err == nil {
			t.Errorf("%s: decoded", c.name)
			continue
		}
		if text := err.Error(); !strings.Contains(text, c.text) || strings.Contains(text, "\n") {
			t.Errorf("%s: error %q should contain %q", c.name, text, c.text)
		}
		if cut := strings.Contains(err.Error(), "truncated"); cut != errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: error %q wraps io.ErrUnexpectedEOF: %v", c.name, err, !cut)
		}
	}
}

// A scan that changes nothing costs a few bytes in the file and a visit to every block. Such files are refused.
func TestScanLimit(t *testing.T) {
	content := read(t, "gray-progressive.jpg")
	content = content[:len(content)-2]
	refine := "\xff\xda\x00\x08\x01\x01\x00\x00\x00\x10\x00" // the lowest bit of the first coefficient
	if _, err := Decode(append(content, refine+refine+"\xff\xd9"...), 1); err != nil {
		t.Fatal(err)
	}
	_, err := Decode(append(content, strings.Repeat(refine, maxScans)+"\xff\xd9"...), 1)
	if err == nil || !strings.Contains(err.Error(), "more than 100 scans") {
		t.Errorf("error is %v", err)
	}
}

// manyScans is a gray progressive file of 512x512 pixels. Behind a scan that makes all blocks gray, others refine them, which say in two bytes that
// nothing changes.
func manyScans(refinements int) []byte {
	const size = "\x02\x00\x02\x00"
	counts := "\x01" + strings.Repeat("\x00", 15) // one code of one bit
	blocks := strings.Repeat("\x00", 4096/8)
	return []byte("\xff\xd8\xff\xdb\x00\x43\x00" + strings.Repeat("\x08", 64) +
		"\xff\xc2\x00\x0b\x08" + size + "\x01\x01\x11\x00" +
		"\xff\xc4\x00\x14\x00" + counts + "\x00" + // no difference
		"\xff\xc4\x00\x14\x10" + counts + "\xe0" + // nothing in 16384 blocks and as many as 14 bits say
		"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x01" + blocks +
		strings.Repeat("\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x10\x00\x00", refinements) + "\xff\xd9")
}

// Scans that visit all blocks again and again for a few bytes are refused, long before the limit of scans.
func TestVisitLimit(t *testing.T) {
	for refinements, want := range map[int]error{10: nil, 28: nil, 40: errTooManyVisits, maxScans - 1: errTooManyVisits} {
		content := manyScans(refinements)
		d := newDecoder(content)
		if err := d.decode(1); !errors.Is(err, want) {
			t.Errorf("%d refinements: error %v, want %v", refinements, err, want)
		}
		// The data of the first scan are an eighth of a byte for each block, and those of the others next to nothing.
		if most := visitsPerBlock + visitsPerByte/8 + 2; d.scanCount > most {
			t.Errorf("%d refinements: %d scans were decoded, want at most %d", refinements, d.scanCount, most)
		}
		d.free()
	}
}

// Arithmetic coding that takes more decisions than its bound is refused.
func TestDecisionLimit(t *testing.T) {
	content := read(t, "arithmetic.jpg")
	for left, want := range map[int64]error{1000 - decisionsPerByte*int64(len(content)): errTooManyDecisions, 0: nil} {
		d := newDecoder(content)
		if err := d.header(); err != nil {
			t.Fatal(err)
		}
		d.frame.layout(1)
		d.frame.allocate()
		d.arith.left = left
		if err := d.scans(); !errors.Is(err, want) {
			t.Errorf("%d decisions beside those of the data: error %v, want %v", left, err, want)
		}
		d.free()
	}
}

// The bound of decisions grows with the compressed data, and with nothing else in the file.
func TestDecisionLimitCountsDataAlone(t *testing.T) {
	left := func(name string, content []byte) int64 {
		d := newDecoder(content)
		defer d.free()
		if err := d.decode(1); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return d.arith.left
	}
	for _, name := range []string{"arithmetic.jpg", "arithmetic-progressive.jpg", "arithmetic-restart.jpg"} {
		content := read(t, name)
		comment := append([]byte{0xff, soi, 0xff, com, 0xff, 0xff}, make([]byte, 0xffff-2)...)
		padded := bytes.Join([][]byte{comment, content[2:], make([]byte, 1000)}, nil)
		if got, want := left(name, padded), left(name, content); got != want {
			t.Errorf("%s: %d decisions are left with a comment, and %d without", name, got, want)
		}
	}
}

// What is odd but clear is read as if it were not there.
func TestOddFiles(t *testing.T) {
	whole := pixels(decode(t, "420.jpg", 1))
	restart := pixels(decode(t, "restart.jpg", 1))
	for _, c := range []struct {
		name    string
		content []byte
		want    []uint8
	}{
		{"standard Huffman tables left out", without(t, "420.jpg", dht), whole},
		{"fill bytes", edited(t, "420.jpg", "\xff\xc4", "\xff\xff\xff\xc4"), whole},
		{"bytes between segments", edited(t, "420.jpg", "\xff\xc4", "abc\xff\x00\xff\xc4"), whole},
		{"something behind the end", append(read(t, "420.jpg"), "more\xff\xd8"...), whole},
		{"stuffing before a restart marker", edited(t, "restart.jpg", "\xff\xd1", "\xff\x00\xff\xd1"), restart},
		{"extended sequential", edited(t, "420.jpg", "\xff\xc0", "\xff\xc1"), whole},
		{"Adobe's RGB beside JFIF", edited(t, "420.jpg", "\xff\xdb", "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00\xff\xdb"), whole},
	} {
		m, err := Decode(c.content, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !bytes.Equal(pixels(m), c.want) {
			t.Errorf("%s: other pixels", c.name)
		}
	}
}

// Behind damage the image goes on at the next restart marker, and blocks without data are grey.
func TestDamagedRestart(t *testing.T) {
	whole := decode(t, "restart.jpg", 1)
	w, h := whole.Size()
	want := pixels(whole)
	for _, c := range []struct {
		name, old, new string
		same           int // pixels that are right at the end of the image
	}{
		{"marker missing", "\xff\xd1", "", w},
		{"number twice", "\xff\xd1", "\xff\xd0", w},
		{"far number", "\xff\xd1", "\xff\xd5", w},
	} {
		m, err := Decode(edited(t, "restart.jpg", c.old, c.new), 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, last := pixels(m), 3*(w*h-16)
		if !bytes.Equal(got[:3*16], want[:3*16]) || !bytes.Equal(got[last:], want[last:]) {
			t.Errorf("%s: the first or last pixels are wrong", c.name)
		}
		if bytes.Equal(got, want) && c.name == "marker missing" {
			t.Errorf("%s: nothing is missing", c.name)
		}
	}
}

// Blocks without data are grey: behind a marker inside the data, and behind the first interval when announced restart markers are not there.
func TestBlocksWithoutData(t *testing.T) {
	unmarked := read(t, "restart.jpg")
	scan := bytes.Index(unmarked, []byte{0xff, sos})
	for i := range uint8(8) {
		data := bytes.ReplaceAll(unmarked[scan:], []byte{0xff, rst0 + i}, nil)
		unmarked = append(unmarked[:scan:scan], data...)
	}
	ended := read(t, "restart.jpg")
	ended = append(ended[:scan+250:scan+250], 0xff, eoi)
	want := pixels(decode(t, "restart.jpg", 1))
	for name, content := range map[string][]byte{"restart markers missing": unmarked, "marker inside": ended} {
		m, err := Decode(content, 1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := pixels(m)
		if !bytes.Equal(got[:3*16], want[:3*16]) {
			t.Errorf("%s: the first pixels are wrong", name)
		}
		if end := got[len(got)-3*20:]; !bytes.Equal(end, bytes.Repeat([]byte{128}, 3*20)) {
			t.Errorf("%s: the last pixels are %v, want 128", name, end)
		}
	}
}
