package heif

import (
	"encoding/binary"
	"slices"
)

// asGrid returns a HEIC file whose primary image is a grid of one tile: the primary image of content, if it is coded itself. Of such an image libheif
// 1.18.2 interpolates the chroma and takes means of it again, which blurs colours. Of grids, as phones write them, it does not.
//
// The new boxes stand at the end, so that all data stay in their places. Other items, such as thumbnails and alpha, are left behind.
func asGrid(content []byte, m item) []byte {
	f := m.file
	if f.kinds[f.primary] != "hvc1" || !m.subsampled || m.width > 0xffff || m.height > 0xffff {
		return content
	}
	own, shown, ok := f.share()
	locations, found := f.locate()
	if !ok || !found {
		return content
	}
	var ipco []byte
	for _, p := range f.properties {
		ipco = appendBox(ipco, p.kind, p.body)
	}
	const version0, tile, grid = "\x00\x00\x00\x00", "\x00\x01", "\x00\x02"
	box := func(kind string, parts ...string) string {
		var body []byte
		for _, p := range parts {
			body = append(body, p...)
		}
		return string(appendBox(nil, kind, body))
	}
	entry := func(id, kind string) string { return box("infe", "\x02\x00\x00\x00", id, "\x00\x00", kind, "\x00") }
	listed := func(id string, properties []byte) string {
		return id + string([]byte{byte(len(properties))}) + string(properties)
	}
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(m.width)), uint16(m.height))
	meta := box("meta", version0,
		box("hdlr", string(f.handler)),
		box("pitm", version0, grid),
		box("iinf", version0, "\x00\x02", entry(tile, "hvc1"), entry(grid, "grid")),
		box("iref", version0, box("dimg", grid, "\x00\x01", tile)),
		box("iprp", box("ipco", string(ipco)), box("ipma", version0, "\x00\x00\x00\x02", listed(tile, own), listed(grid, shown))),
		box("idat", "\x00\x00\x00\x00", string(size)), // one row, one column
		box("iloc", "\x01\x00\x00\x00\x44\x00\x00\x02", tile, "\x00\x00\x00\x00", locations,
			grid, "\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x08"),
	)
	rest := slices.Clone(content)
	hide(rest)
	return append(rest, meta...)
}

// share divides the numbers of the primary item's properties: the tile's own ones, and those that turn and cut what is shown. Both have the size.
func (f *file) share() (own, shown []byte, ok bool) {
	for _, number := range f.of {
		if number < 1 || number > min(len(f.properties), 0x7f) {
			return nil, nil, false
		}
		switch f.properties[number-1].kind {
		case "irot", "imir", "clap":
			shown = append(shown, 0x80|byte(number)) // a reader must know it
		case "ispe":
			own, shown = append(own, byte(number)), append([]byte{byte(number)}, shown...)
		default:
			own = append(own, byte(number))
		}
	}
	return own, shown, len(f.of) <= 0x7f
}

// locate writes where the primary item lies, as iloc does. It lies in the file itself, or ok is false.
func (f *file) locate() (extents string, ok bool) {
	var list []byte
	count := 0
	for _, e := range f.extents {
		if e.item != f.primary {
			continue
		}
		if e.inside || e.offset > 0xffffffff || e.length > 0xffffffff {
			return "", false
		}
		list = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(list, uint32(e.offset)), uint32(e.length))
		count++
	}
	return string(binary.BigEndian.AppendUint16(nil, uint16(count))) + string(list), count > 0 && count <= 0xffff
}

// hide turns the boxes meta into free ones, which nobody reads: the one that is added says what is in them. A last box that reaches to the end of the file gets its size.
func hide(content []byte) {
	for at := 0; at < len(content); {
		size := int(binary.BigEndian.Uint32(content[at:]))
		switch size {
		case 0:
			size = len(content) - at
			binary.BigEndian.PutUint32(content[at:], uint32(size))
		case 1:
			size = int(binary.BigEndian.Uint64(content[at+boxHead:]))
		}
		if string(content[at+4:at+8]) == "meta" {
			copy(content[at+4:], "free")
		}
		at += size
	}
}

func appendBox(to []byte, kind string, body []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(boxHead+len(body)))
	return append(append(to, kind...), body...)
}
