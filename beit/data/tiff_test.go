package data

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// stripsTIFF is a grey TIFF file of one column and a strip for each row. All strips have the same bytes, up to the end of the file.
func stripsTIFF(rows int, compression, fillOrder uint32, strip []byte) []byte {
	const entries = 9
	list := uint32(8 + 2 + 12*entries + 4)
	stored := list + 2*uint32(rows)
	b := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), entries)
	for _, e := range [entries][4]uint32{
		{tagWidth, tiffLong, 1, 1}, {tagHeight, tiffLong, 1, uint32(rows)}, {tagBits, tiffLong, 1, 8}, {tagCompression, tiffLong, 1, compression},
		{tagPhotometric, tiffLong, 1, tiffBlackIsZero}, {tagFillOrder, tiffLong, 1, fillOrder}, {tagSamples, tiffLong, 1, 1},
		{tagStripOffsets, tiffShort, uint32(rows), list}, {tagRowsPerStrip, tiffLong, 1, 1},
	} {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
		b = binary.LittleEndian.AppendUint32(b, e[2])
		b = binary.LittleEndian.AppendUint32(b, e[3])
	}
	b = binary.LittleEndian.AppendUint32(b, 0)
	for range rows {
		b = binary.LittleEndian.AppendUint16(b, uint16(stored))
	}
	return append(b, strip...)
}

// Many strips of the same bytes would take time that grows with the square of the file's size.
func TestDecodeTIFFOverlap(t *testing.T) {
	literal := []byte{0, 77} // one byte that is 77
	if m, err := Decode(stripsTIFF(3, tiffPackBits, 1, literal), DefaultLimits); err != nil || m.H != 3 || m.Pix[8] != 77 {
		t.Fatalf("equal strips that are stored once: %v, %v", m, err)
	}
	nothing := bytes.Repeat([]byte{0x80}, 1<<17) // runs of no bytes
	for name, content := range map[string][]byte{
		"PackBits":      stripsTIFF(20000, tiffPackBits, 1, append(nothing, literal...)),
		"opposite bits": stripsTIFF(20000, tiffPackBits, tiffOppositeBits, append(bytes.Repeat([]byte{0x01}, 1<<17), 0, 0xb2)),
	} {
		if _, err := Decode(content, DefaultLimits); err == nil || !strings.Contains(err.Error(), "its parts overlap") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// Tables that all JPEG blocks of a TIFF file share are copied for each of them.
func TestDecodeTIFFLongTables(t *testing.T) {
	tables := tiffTag{tiffUndefined, make([]byte, 1<<16)}
	f := &tiffFile{tags: &tiffTags{tags: map[uint16]tiffTag{tagJPEGTables: tables}}}
	if _, err := f.withTables([]byte("\xff\xd8")); err == nil || !strings.Contains(err.Error(), "shared JPEG tables of 65536 bytes") {
		t.Errorf("error %v", err)
	}
}

// A tag that comes again and again with much data is ambiguous: nobody compares all of it.
func TestTIFFTagsRepeated(t *testing.T) {
	const entries, size, tagMaker = 100, 3000, 271
	b := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), entries)
	for i := range uint32(entries) {
		b = binary.LittleEndian.AppendUint16(b, tagMaker)
		b = binary.LittleEndian.AppendUint16(b, tiffUndefined)
		b = binary.LittleEndian.AppendUint32(b, size)
		b = binary.LittleEndian.AppendUint32(b, 8+2+12*entries+i)
	}
	b = append(b, make([]byte, size+entries)...)
	tags, err := parseTIFFTags(b)
	if err != nil {
		t.Fatal(err)
	}
	if tags.ambiguous != tagMaker {
		t.Errorf("tag %d is ambiguous, want %d", tags.ambiguous, tagMaker)
	}
}

// The memory of JPEG tiles counts, though they may be far larger than the image.
func TestTIFFMemory(t *testing.T) {
	for _, c := range []struct {
		compression, side uint32
		least, most       int64
	}{{tiffLZW, 64, 3 * 10 * 10, 1000}, {tiffJPEG, 64, 64 * 64, 1 << 17}, {tiffJPEG, 4096, 4096 * 4096 * 15, 1 << 29}} {
		b := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), 10)
		for _, e := range [][2]uint32{
			{tagWidth, 10}, {tagHeight, 10}, {tagBits, 8}, {tagCompression, c.compression}, {tagPhotometric, tiffBlackIsZero}, {tagSamples, 1},
			{tagTileWidth, c.side}, {tagTileHeight, c.side}, {tagTileOffsets, 8}, {tagTileCounts, 4},
		} {
			b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
			b = binary.LittleEndian.AppendUint16(b, tiffLong)
			b = binary.LittleEndian.AppendUint32(b, 1)
			b = binary.LittleEndian.AppendUint32(b, e[1])
		}
		if got := formats["tiff"].memory(b, 10, 10, 1); got < c.least || got > c.most {
			t.Errorf("compression %d, tiles of %d: %d bytes, want %d to %d", c.compression, c.side, got, c.least, c.most)
		}
	}
}
