package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// tiffTags is the first directory of TIFF data, which EXIF data are too. Its tags may stand in any order. Of tags that come twice
// the last counts.
type tiffTags struct {
	order     binary.ByteOrder
	tags      map[uint16]tiffTag
	ambiguous uint16 // a tag that comes twice with different values, or 0
}

// tiffTag is a value of a directory.
type tiffTag struct {
	kind uint16
	data []byte // the values, in the byte order of the file
}

// Types of tags. Those of 8 bytes are BigTIFF's.
const (
	tiffByte      = 1
	tiffShort     = 3
	tiffLong      = 4
	tiffSByte     = 6
	tiffUndefined = 7
	tiffSShort    = 8
	tiffSLong     = 9
	tiffIFD       = 13
	tiffLong8     = 16
	tiffSLong8    = 17
	tiffIFD8      = 18
)

// tiffTypeSize has the bytes of a value of each type that is read.
var tiffTypeSize = map[uint16]uint64{
	tiffByte: 1, tiffShort: 2, tiffLong: 4, tiffSByte: 1, tiffUndefined: 1, tiffSShort: 2, tiffSLong: 4, tiffIFD: 4,
	tiffLong8: 8, tiffSLong8: 8, tiffIFD8: 8,
}

// tiffLayout has the sizes that TIFF and BigTIFF do not share.
type tiffLayout struct {
	pointer uint64 // bytes of an offset and of a number of values
	first   uint64 // where the offset of the first directory is
	count   uint64 // bytes of the number of tags
}

// parseTIFFTags reads the first directory. Tags whose values are not in the data, or of other types, are left out.
func parseTIFFTags(b []byte) (*tiffTags, error) {
	if len(b) < 8 {
		return nil, io.ErrUnexpectedEOF
	}
	t := &tiffTags{tags: map[uint16]tiffTag{}}
	layout := tiffLayout{pointer: 4, first: 4, count: 2}
	switch string(b[:4]) {
	case "II*\x00", "II\x00*":
		t.order = binary.LittleEndian
	case "MM\x00*", "MM*\x00":
		t.order = binary.BigEndian
	case "II+\x00":
		t.order, layout = binary.LittleEndian, tiffLayout{pointer: 8, first: 8, count: 8}
	case "MM\x00+":
		t.order, layout = binary.BigEndian, tiffLayout{pointer: 8, first: 8, count: 8}
	default:
		return nil, errors.New("no TIFF header")
	}
	at, ok := t.uint(b, layout.first, layout.pointer)
	count, ok2 := t.uint(b, at, layout.count)
	if !ok || !ok2 {
		return nil, fmt.Errorf("its directory is missing: %w", io.ErrUnexpectedEOF)
	}
	t.readEntries(b, at+layout.count, count, layout)
	return t, nil
}

// readEntries reads the entries of a directory that are there.
func (t *tiffTags) readEntries(b []byte, at, count uint64, layout tiffLayout) {
	const head = 4  // tag and type
	spare := len(b) // bytes of tags that are compared with others: they may lie in the same place
	for ; count > 0; count-- {
		tag, ok := t.uint(b, at, 2)
		kind, ok2 := t.uint(b, at+2, 2)
		values, ok3 := t.uint(b, at+head, layout.pointer)
		if !ok || !ok2 || !ok3 {
			return
		}
		data, ok := t.values(b, at+head+layout.pointer, values, tiffTypeSize[uint16(kind)], layout)
		if first, twice := t.tags[uint16(tag)]; twice {
			if spare -= len(data); spare < 0 || !bytes.Equal(first.data, data) {
				t.ambiguous = uint16(tag)
			}
		}
		if ok {
			t.tags[uint16(tag)] = tiffTag{uint16(kind), data}
		}
		at += head + 2*layout.pointer
	}
}

// values returns the bytes of count values: those at the place at, or those that it points to where they are too many for it.
func (t *tiffTags) values(b []byte, at, count, size uint64, layout tiffLayout) ([]byte, bool) {
	if size == 0 || count == 0 || count > uint64(len(b))/size {
		return nil, false
	}
	if count*size > layout.pointer {
		var ok bool
		if at, ok = t.uint(b, at, layout.pointer); !ok {
			return nil, false
		}
	}
	if at > uint64(len(b)) || count*size > uint64(len(b))-at {
		return nil, false
	}
	return b[at : at+count*size], true
}

// uint reads an unsigned number of 2, 4 or 8 bytes at the place at, if it is there.
func (t *tiffTags) uint(b []byte, at, size uint64) (uint64, bool) {
	if at > uint64(len(b)) || size > uint64(len(b))-at {
		return 0, false
	}
	switch b = b[at:]; size {
	case 2:
		return uint64(t.order.Uint16(b)), true
	case 4:
		return uint64(t.order.Uint32(b)), true
	}
	return t.order.Uint64(b), true
}

// count returns how many values a tag has, 0 where it is missing.
func (t *tiffTags) count(tag uint16) int {
	v, ok := t.tags[tag]
	if !ok {
		return 0
	}
	return len(v.data) / int(tiffTypeSize[v.kind])
}

// at returns value i of a tag, which must be there. Values below 0 come out as large ones, which no tag may have.
func (t *tiffTags) at(tag uint16, i int) uint64 {
	v := t.tags[tag]
	switch v.kind {
	case tiffShort:
		return uint64(t.order.Uint16(v.data[2*i:]))
	case tiffSShort:
		return uint64(int16(t.order.Uint16(v.data[2*i:])))
	case tiffLong, tiffIFD:
		return uint64(t.order.Uint32(v.data[4*i:]))
	case tiffSLong:
		return uint64(int32(t.order.Uint32(v.data[4*i:])))
	case tiffLong8, tiffSLong8, tiffIFD8:
		return t.order.Uint64(v.data[8*i:])
	case tiffSByte:
		return uint64(int8(v.data[i]))
	}
	return uint64(v.data[i])
}

// number returns the first value of a tag, or otherwise where the tag is missing.
func (t *tiffTags) number(tag uint16, otherwise uint64) uint64 {
	if t.count(tag) == 0 {
		return otherwise
	}
	return t.at(tag, 0)
}
