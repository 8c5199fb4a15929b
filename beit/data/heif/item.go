package heif

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// item is the primary image of a file, by its boxes (ISO/IEC 23008-12).
type item struct {
	width, height int
	largest       image.Point // of the largest item of the file: decoding takes memory for it
	turned        turn        // of the stored image to the shown one
	colour        colour
	subsampled    bool // HEVC with fewer samples of chroma than of luma
	file          *file
}

// readItem finds the primary image of a file, and checks that all data are there which the file's items refer to.
func readItem(content []byte) (item, error) {
	f := &file{}
	err := eachBox(content, func(b box) error {
		if b.kind == "meta" && !f.found {
			f.found = true
			return f.meta(b.body)
		}
		return nil
	})
	if err != nil {
		return item{}, err
	}
	if !f.found {
		return item{}, errors.New("there is no still image in it")
	}
	if err := f.checkExtents(uint64(len(content))); err != nil {
		return item{}, err
	}
	return f.item()
}

// Size returns the columns and rows of the largest image in a HEIC or AVIF file, which may be larger than the primary one.
func Size(content []byte) (w, h int, err error) {
	m, err := readItem(content)
	return m.largest.X, m.largest.Y, err
}

// file is what the box meta says.
type file struct {
	found      bool
	primary    uint64            // number of the primary item
	kinds      map[uint64]string // of items
	properties []box             // ipco, numbered from 1
	of         []int             // the primary item's properties, in order
	assigned   []byte            // ipma
	handler    []byte            // hdlr
	extents    []extent
	idat       uint64 // bytes in the box idat
}

// extent is where a part of an item lies.
type extent struct {
	item           uint64 // its number
	offset, length uint64
	inside         bool // the box idat
}

func (f *file) meta(body []byte) error {
	r := reader{rest: body}
	r.full()
	if r.err != nil {
		return r.err
	}
	err := eachBox(r.rest, func(b box) (err error) {
		r := reader{rest: b.body}
		switch b.kind {
		case "pitm":
			version, _ := r.full()
			f.primary, err = r.uint(wide(version > 0)), r.err
		case "hdlr":
			f.handler = b.body
		case "iinf":
			f.kinds, err = readKinds(b.body)
		case "iloc":
			f.extents, err = readLocations(b.body)
		case "iprp":
			err = f.readProperties(b.body)
		case "idat":
			f.idat = uint64(len(b.body))
		}
		return err
	})
	if err == nil {
		f.of, err = propertiesOf(f.assigned, f.primary)
	}
	return err
}

// readProperties keeps the properties, and which items have them.
func (f *file) readProperties(body []byte) error {
	return eachBox(body, func(b box) error {
		switch b.kind {
		case "ipco":
			return eachBox(b.body, func(p box) error {
				f.properties = append(f.properties, p)
				return nil
			})
		case "ipma":
			f.assigned = b.body
		}
		return nil
	})
}

// readKinds reads the kinds of the items, such as "hvc1".
func readKinds(iinf []byte) (map[uint64]string, error) {
	r := reader{rest: iinf}
	version, _ := r.full()
	r.uint(wide(version > 0)) // how many
	if r.err != nil {
		return nil, r.err
	}
	kinds := map[uint64]string{}
	err := eachBox(r.rest, func(b box) error {
		r := reader{rest: b.body}
		version, _ := r.full()
		if b.kind != "infe" || version < 2 {
			return nil
		}
		id := r.uint(wide(version > 2))
		r.uint(2) // protection
		if len(r.rest) < 4 {
			return fmt.Errorf("box infe: %w", errCut)
		}
		kinds[id] = string(r.rest[:4])
		return nil
	})
	return kinds, err
}

// propertiesOf returns the numbers of the properties that the box ipma gives an item.
func propertiesOf(ipma []byte, wanted uint64) (list []int, err error) {
	r := reader{rest: ipma}
	version, flags := r.full()
	size, bits := 1, 7
	if flags&1 != 0 {
		size, bits = 2, 15
	}
	for count := r.uint(4); count > 0 && r.err == nil; count-- {
		id := r.uint(wide(version > 0))
		for n := r.uint(1); n > 0 && r.err == nil; n-- {
			number := int(r.uint(size) & (1<<bits - 1)) // the highest bit says whether a reader must know it
			if id == wanted {
				list = append(list, number)
			}
		}
	}
	return list, r.err
}

// readLocations reads where the items lie. Those in other files are left out.
func readLocations(iloc []byte) (list []extent, err error) {
	r := reader{rest: iloc}
	version, _ := r.full()
	sizes := r.uint(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if max(offsetSize, lengthSize, baseSize, indexSize) > 8 {
		return nil, errors.New("box iloc has numbers of more than 8 bytes")
	}
	if version == 0 {
		indexSize = 0
	}
	for count := r.uint(wide(version > 1)); count > 0 && r.err == nil; count-- {
		id := r.uint(wide(version > 1))
		method := uint64(0)
		if version > 0 {
			method = r.uint(2) & 15
		}
		elsewhere := r.uint(2) != 0
		base := r.uint(baseSize)
		n := r.uint(2)
		if offsetSize+lengthSize+indexSize == 0 {
			n = min(n, 1) // all would be the same
		}
		for ; n > 0 && r.err == nil; n-- {
			r.uint(indexSize)
			e := extent{item: id, offset: base + r.uint(offsetSize), length: r.uint(lengthSize), inside: method == 1}
			if r.err == nil && method < 2 && !elsewhere {
				list = append(list, e)
			}
		}
	}
	return list, r.err
}

// checkExtents looks for data that are not there.
func (f *file) checkExtents(size uint64) error {
	for _, e := range f.extents {
		room := size
		if e.inside {
			room = f.idat
		}
		if e.offset > room || e.length > room-e.offset {
			return fmt.Errorf("an item has %d bytes at %d, of %d: %w", e.length, e.offset, room, errCut)
		}
	}
	return nil
}

// item reads the properties of the primary item.
func (f *file) item() (item, error) {
	m := item{turned: rotations[0], file: f}
	for _, p := range f.properties {
		if p.kind == "ispe" {
			w, h, err := sizeOf(p.body)
			if err != nil {
				return m, err
			}
			if w*h > uint64(m.largest.X)*uint64(m.largest.Y) {
				m.largest = image.Pt(int(w), int(h))
			}
		}
	}
	for _, number := range f.of {
		if number < 1 || number > len(f.properties) {
			continue // 0 stands for none
		}
		p := f.properties[number-1]
		r := reader{rest: p.body}
		switch p.kind {
		case "ispe":
			w, h, _ := sizeOf(p.body) // looked at above
			m.width, m.height = int(w), int(h)
		case "irot":
			m.turned = m.turned.then(rotations[r.uint(1)&3])
		case "imir":
			m.turned = m.turned.then(mirrors[r.uint(1)&1])
		case "colr":
			m.colour.read(&r)
		case "hvcC":
			r.uint(8) // profile
			r.uint(8) // level, tiers
			const format420, format422 = 1, 2
			chroma := r.uint(1) & 3
			m.subsampled = chroma == format420 || chroma == format422
		}
		if r.err != nil {
			return m, fmt.Errorf("property %s: %w", p.kind, r.err)
		}
	}
	if m.width == 0 || m.height == 0 {
		return m, errors.New("the size of its still image is not in it")
	}
	return m, nil
}

// sizeOf reads the box ispe.
func sizeOf(ispe []byte) (w, h uint64, err error) {
	r := reader{rest: ispe}
	r.full()
	w, h = r.uint(4), r.uint(4)
	switch {
	case r.err != nil:
		return 0, 0, fmt.Errorf("property ispe: %w", r.err)
	case w == 0 || h == 0 || max(w, h) > math.MaxInt32:
		return 0, 0, fmt.Errorf("size %dx%d", w, h)
	}
	return w, h, nil
}
