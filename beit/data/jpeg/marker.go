package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Markers of ISO/IEC 10918-1, table B.1.
const (
	sof0  = 0xc0 // baseline
	sof1  = 0xc1 // extended sequential
	sof2  = 0xc2 // progressive
	sof3  = 0xc3 // lossless
	dht   = 0xc4
	sof9  = 0xc9 // extended sequential, arithmetic
	sof10 = 0xca // progressive, arithmetic
	dac   = 0xcc
	sof15 = 0xcf
	rst0  = 0xd0
	rst7  = 0xd7
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	dqt   = 0xdb
	dnl   = 0xdc
	dri   = 0xdd
	app0  = 0xe0
	app14 = 0xee
	app15 = 0xef
	com   = 0xfe
	tem   = 0x01
)

// truncated says where the file ends.
func truncated(where string) error {
	return fmt.Errorf("the file is truncated: it ends %s: %w", where, io.ErrUnexpectedEOF)
}

// header reads to the first scan.
func (d *decoder) header() error {
	if !bytes.HasPrefix(d.content, []byte{0xff, soi, 0xff}) {
		return errors.New("not a JPEG file: it does not begin with FF D8 FF")
	}
	d.pos = 2
	if err := d.nextMarker(); err != nil {
		return err
	}
	if err := d.segments(); err != nil {
		return err
	}
	if d.marker == eoi {
		return errors.New("the file holds no image: it ends before the first scan")
	}
	if !d.seenFrame {
		return errors.New("the first scan comes before the frame header")
	}
	return d.frame.checkLength(len(d.content))
}

// nextMarker finds the next marker. Other bytes before it are skipped, and so are fill bytes.
func (d *decoder) nextMarker() error {
	for {
		i := bytes.IndexByte(d.content[d.pos:], 0xff)
		if i < 0 {
			d.pos = len(d.content)
			return truncated("where a marker should be")
		}
		d.pos += i
		for d.pos < len(d.content) && d.content[d.pos] == 0xff {
			d.pos++
		}
		if d.pos == len(d.content) {
			return truncated("where a marker should be")
		}
		d.marker = d.content[d.pos]
		d.pos++
		if d.marker != 0 {
			return nil
		}
	}
}

// segments reads all segments from the current marker to a scan or the end of the image, which becomes the current marker.
func (d *decoder) segments() error {
	for d.marker != sos && d.marker != eoi {
		if d.marker != tem && (d.marker < rst0 || d.marker > rst7) {
			body, err := d.segment()
			if err != nil {
				return err
			}
			if err := d.read(body); err != nil {
				return err
			}
		}
		if err := d.nextMarker(); err != nil {
			return err
		}
	}
	return nil
}

// segment returns the body of the current marker's segment and moves behind it.
func (d *decoder) segment() ([]byte, error) {
	rest := d.content[d.pos:]
	if len(rest) < 2 {
		return nil, truncated(fmt.Sprintf("in the segment of marker FF %02X", d.marker))
	}
	size := int(binary.BigEndian.Uint16(rest))
	if size < 2 {
		return nil, fmt.Errorf("marker FF %02X has a segment of %d bytes: at least 2 are its length", d.marker, size)
	}
	if size > len(rest) {
		return nil, truncated(fmt.Sprintf("in the segment of marker FF %02X", d.marker))
	}
	d.pos += size
	return rest[2:size], nil
}

// read takes over what a segment says.
func (d *decoder) read(body []byte) error {
	switch m := d.marker; {
	case m == dht:
		return d.readHuffman(body)
	case m == dqt:
		return d.readQuant(body)
	case m == dri:
		if len(body) != 2 {
			return fmt.Errorf("the segment of the restart interval has %d bytes: it should have 2", len(body))
		}
		d.interval = int(binary.BigEndian.Uint16(body))
	case m == app0:
		if len(body) >= 14 && bytes.HasPrefix(body, []byte("JFIF\x00")) {
			d.jfif = true
		}
	case m == app14:
		if len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")) {
			d.adobe, d.transform = true, body[11]
		}
	case m == dac:
		return d.readConditioning(body)
	case m > app0 && m <= app15, m == com, m == dnl:
	case m == sof3:
		return errors.New("lossless JPEG (marker FF C3) is not read: convert the file to another format")
	case m >= sof0 && m <= sof2, m == sof9, m == sof10:
		return d.readFrame(body)
	case m > sof3 && m <= sof15:
		return fmt.Errorf("hierarchical or lossless JPEG (marker FF %02X) is not read: convert the file to another format", m)
	case m == soi:
		return errors.New("a second image begins inside the first one (marker FF D8)")
	default:
		return fmt.Errorf("unknown marker FF %02X", m)
	}
	return nil
}
