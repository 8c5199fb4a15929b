package heif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// full makes a box, with content after its head.
func full(kind string, content ...string) string {
	body := strings.Join(content, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))) + kind + body
}

const v0 = "\x00\x00\x00\x00" // version and flags

// still is a file with item 1, whose properties are those of ipco in order.
func still(ipco, iloc string, numbers ...byte) []byte {
	return []byte(full("ftyp", "avif", v0) + full("meta", v0, full("pitm", v0, "\x00\x01"), full("iloc", iloc),
		full("iprp", full("ipco", ipco), full("ipma", v0, "\x00\x00\x00\x01\x00\x01", string(rune(len(numbers))), string(numbers)))) + full("mdat", "0123456789"))
}

func TestReadItem(t *testing.T) {
	const none = v0 + "\x44\x00\x00\x00"
	size := full("ispe", v0, "\x00\x00\x00\x60\x00\x00\x00\x40")
	for _, c := range []struct {
		name    string
		content []byte
		want    item
		err     string
	}{
		{"plain", still(size, none, 1), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: rotations[0]}, ""},
		{"essential", still(size+full("irot", "\x01"), none, 1, 0x82), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: rotations[1]}, ""},
		{"not its own", still(size+full("irot", "\x01"), none, 1), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: rotations[0]}, ""},
		{"mirrored, then turned", still(size+full("irot", "\x01")+full("imir", "\x00"), none, 1, 3, 2), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: turn{{0, -1}, {-1, 0}}}, ""},
		{"another item is larger", still(size+full("ispe", v0, "\x00\x00\x01\x00\x00\x00\x01\x00"), none, 1), item{width: 96, height: 64, largest: image.Pt(256, 256), turned: rotations[0]}, ""},
		{"matrix", still(size+full("colr", "nclx\x00\x01\x00\x0d\x00\x09\x00"), none, 1, 2), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: rotations[0], colour: colour{matrixBT2020, true, true}}, ""},
		{"profile", still(size+full("colr", "prof1234"), none, 1, 2), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: rotations[0]}, ""},
		{"no properties", still(size, none), item{}, "the size"},
		{"a number too far", still(size, none, 1, 9), item{width: 96, height: 64, largest: image.Pt(96, 64), turned: rotations[0]}, ""},
		{"no size", still(full("ispe", v0, "\x00\x00\x00\x00\x00\x00\x00\x40"), none, 1), item{}, "size 0x64"},
		{"cut property", still(full("ispe", v0, "\x00\x00\x00\x60\x00"), none, 1), item{}, "ispe"},
		{"cut turn", still(size+full("irot"), none, 1, 2), item{}, "irot"},
		{"data behind the end", still(size, v0+"\x44\x00\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x10\x00\x00\x10\x00", 1), item{}, "cut short"},
		{"an offset that overflows", still(size, v0+"\x88\x80\x00\x01\x00\x01\x00\x00"+strings.Repeat("\xff", 8)+"\x00\x01"+strings.Repeat("\xff", 16), 1), item{}, "cut short"},
		{"no still image", []byte(full("ftyp", "avis", v0) + full("moov")), item{}, "no still image"},
		{"cut box", []byte(full("ftyp", "avif", v0) + "\x00\x00\x01\x00mdat"), item{}, "cut short"},
		{"box without a head", []byte("\x00\x00\x00\x04ftyp"), item{}, "4 bytes"},
		{"empty", nil, item{}, "no still image"},
	} {
		got, err := readItem(c.content)
		got.file = nil
		if c.err == "" && (err != nil || got != c.want) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.err)
		}
	}
}

// Sizes of 64 bits, and of 0, which means up to the end.
func TestBoxSizes(t *testing.T) {
	content := "\x00\x00\x00\x01free\x00\x00\x00\x00\x00\x00\x00\x12ab" + "\x00\x00\x00\x00mdatxyz"
	var got []string
	if err := eachBox([]byte(content), func(b box) error {
		got = append(got, b.kind+":"+string(b.body))
		return nil
	}); err != nil || strings.Join(got, " ") != "free:ab mdat:xyz" {
		t.Errorf("%q, %v", got, err)
	}
	if err := eachBox([]byte("\x00\x00\x00\x01free\x00\x00"), func(box) error { return nil }); !errors.Is(err, errCut) {
		t.Errorf("half a size: %v", err)
	}
}

// Turns undo each other, and every pixel is shown once.
func TestTurns(t *testing.T) {
	for i, r := range rotations {
		if back := r.then(rotations[(4-i)%4]); back != rotations[0] {
			t.Errorf("by %d and back: %v", 90*i, back)
		}
	}
	for _, m := range mirrors {
		if m.then(m) != rotations[0] {
			t.Errorf("mirrored twice: %v", m.then(m))
		}
	}
}

// White, black and pure colours of each matrix.
func TestColours(t *testing.T) {
	for _, c := range []struct {
		colour    colour
		y, cb, cr byte
		want      [3]byte
	}{
		{colour{}, 255, 128, 128, [3]byte{255, 255, 255}},
		{colour{}, 76, 85, 255, [3]byte{254, 0, 0}},
		{colour{matrixBT709, true, true}, 235, 128, 128, [3]byte{255, 255, 255}},
		{colour{matrixBT709, true, true}, 16, 128, 128, [3]byte{0, 0, 0}},
		{colour{matrixBT709, true, true}, 63, 102, 240, [3]byte{255, 1, 0}},
		{colour{matrixBT2020, false, true}, 67, 92, 255, [3]byte{254, 0, 0}},
		{colour{matrixIdentity, false, true}, 10, 20, 30, [3]byte{30, 10, 20}},
		{colour{matrixIdentity, false, false}, 10, 128, 128, [3]byte{10, 10, 10}},
	} {
		var got [3]byte
		c.colour.converter()(got[:], c.y, c.cb, c.cr)
		if got != c.want {
			t.Errorf("%+v: %d %d %d gives %v, want %v", c.colour, c.y, c.cb, c.cr, got, c.want)
		}
	}
}

// Boxes of any form are read or refused.
func FuzzReadItem(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*f")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range append(files, "testdata/plain.heic", "testdata/odd.heic") {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := readItem(content)
		if err != nil {
			return
		}
		if m.width < 1 || m.height < 1 || m.largest.X*m.largest.Y < 1 || !bytes.Contains(content, []byte("ispe")) {
			t.Errorf("%+v", m)
		}
		again, err := readItem(asGrid(content, m))
		if err != nil || again.width != m.width || again.height != m.height {
			t.Errorf("%+v becomes the grid %+v, %v", m, again, err)
		}
		if m.turned[0][0]*m.turned[1][1]-m.turned[0][1]*m.turned[1][0] == 0 {
			t.Errorf("turned by %v", m.turned)
		}
	})
}
