package jpeg

import (
	"errors"
	"fmt"
)

// maxScans bounds the scans of a file. Encoders write about 10 of them, and up to 64 in search of the smallest file.
const maxScans = 100

// These bound the blocks that all scans together visit, for two bytes of a progressive scan can say that nothing changes in 32767 blocks. Encoders
// write about 10 scans, most of them of one component alone, so that no block is visited more often than that. Files with more scans spend data on
// them.
const (
	visitsPerBlock = 30
	visitsPerByte  = 16
)

var errTooManyVisits = errors.New("the scans visit the blocks far more often than their data allow: jpegtran -progressive rewrites such a file without loss")

// scan is what a scan header says.
type scan struct {
	parts      []scanPart
	first, end int // coefficients [first, end)
	high, low  uint
}

type scanPart struct {
	*component
	dc, ac     *huffTable
	dcID, acID uint8
	pred       int32 // first coefficient of the block before
	context    int   // in arithmetic coding, the statistics that follow from the difference before
}

// scans decodes all scans. The current marker is the first.
func (d *decoder) scans() error {
	d.chooseColor()
	for {
		if d.scanCount++; d.scanCount > maxScans {
			return fmt.Errorf("the file has more than %d scans: jpegtran -progressive rewrites it without loss", maxScans)
		}
		s, err := d.readScan()
		if err != nil {
			return err
		}
		if err := d.decodeScan(s); err != nil {
			return err
		}
		if !d.frame.progressive && len(s.parts) == len(d.frame.components) && !d.bits.spent() {
			return nil // all is there, whatever follows
		}
		if d.bits.ended {
			return truncated("behind a scan, without an end-of-image marker")
		}
		if err := d.nextMarker(); err != nil {
			return err
		}
		if err := d.segments(); err != nil {
			return err
		}
		if d.marker == eoi {
			break
		}
	}
	d.finish()
	return nil
}

// readScan reads a scan header: ISO/IEC 10918-1, B.2.3.
func (d *decoder) readScan() (*scan, error) {
	body, err := d.segment()
	if err != nil {
		return nil, err
	}
	n := 0
	if len(body) > 0 {
		n = int(body[0])
	}
	if n < 1 || n > 4 || len(body) != 4+2*n {
		return nil, errors.New("damaged scan header")
	}
	tail := body[1+2*n:]
	s := &scan{first: int(tail[0]), end: int(tail[1]) + 1, high: uint(tail[2] >> 4), low: uint(tail[2] & 15)}
	if !d.frame.progressive {
		s.first, s.end, s.high, s.low = 0, 64, 0, 0
		d.defineStandard()
	} else if err := s.checkProgression(n); err != nil {
		return nil, err
	}
	for i := range n {
		part, err := d.scanPart(s, body[1+2*i], body[2+2*i])
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, part)
	}
	return s, nil
}

// checkProgression checks the parameters of a progressive scan: ISO/IEC 10918-1, G.1.1.1.
func (s *scan) checkProgression(components int) error {
	ok := s.end == 1
	if s.first > 0 {
		ok = s.end > s.first && s.end <= 64 && components == 1
	}
	if s.high != 0 && s.high != s.low+1 || s.low > 13 {
		ok = false
	}
	if !ok {
		return fmt.Errorf("progressive scan of coefficients %d to %d with bits %d to %d: there is no such scan", s.first, s.end-1, s.high, s.low)
	}
	return nil
}

// scanPart finds a component by its id and the tables that it needs.
func (d *decoder) scanPart(s *scan, id, tables uint8) (part scanPart, err error) {
	for i := range d.frame.components {
		if c := &d.frame.components[i]; c.id == id && !s.has(c) {
			part.component = c
			break
		}
	}
	if part.component == nil {
		return part, fmt.Errorf("a scan of component id %d, which the frame header does not have", id)
	}
	if c := part.component; !c.scanned {
		if !d.quant[c.selector].defined {
			return part, fmt.Errorf("quantisation table %d is missing", c.selector)
		}
		c.quant, c.scanned = d.quant[c.selector], true
	}
	part.dcID, part.acID = tables>>4, tables&15
	if d.frame.arithmetic {
		return part, nil
	}
	if s.first == 0 && s.high == 0 {
		part.dc, err = d.table(0, part.dcID)
	}
	if s.end > 1 && err == nil {
		part.ac, err = d.table(1, part.acID)
	}
	return part, err
}

func (s *scan) has(c *component) bool {
	for _, p := range s.parts {
		if p.component == c {
			return true
		}
	}
	return false
}

// table returns a Huffman table, ready for use.
func (d *decoder) table(class int, id uint8) (*huffTable, error) {
	names, limits := [2]string{"DC", "AC"}, [2]uint8{15, 255}
	if id > 3 || !d.huff[class][id].defined {
		return nil, fmt.Errorf("%s Huffman table %d is missing", names[class], id)
	}
	t := &d.huff[class][id]
	return t, t.build(limits[class])
}

// decodeScan decodes the entropy-coded data behind a scan header. Afterwards d.pos is at the marker behind them.
func (d *decoder) decodeScan(s *scan) error {
	if s.first > 0 && s.parts[0].side == 1 {
		return d.skipScan() // only the first coefficient is needed
	}
	d.load(s)
	d.endOfBands, d.nextRST = 0, 0
	across, down := d.frame.mcusX, d.frame.mcusY
	single := len(s.parts) == 1
	if single {
		across, down = s.parts[0].blocksX, s.parts[0].blocksY
	}
	left := d.interval
	for y := range down {
		for x := range across {
			if d.interval > 0 && left == 0 {
				if err := d.restart(s); err != nil {
					return err
				}
				left = d.interval
			}
			left--
			dry := d.dry() // there are no data up to the next restart marker
			if dry && d.frame.progressive {
				continue // the blocks stay as the scans before left them
			}
			if single {
				d.decodeBlock(s, &s.parts[0], x, y, dry)
			} else {
				d.decodeMCU(s, x, y, dry)
			}
		}
		if d.cut() {
			return truncated("inside the compressed data")
		}
		if d.arith.left < 0 {
			return errTooManyDecisions
		}
		if d.visits -= s.blocksOfRow(&d.frame); d.visits < 0 {
			return errTooManyVisits
		}
	}
	return nil
}

// blocksOfRow returns the number of blocks that a scan visits in each of its rows.
func (s *scan) blocksOfRow(f *frame) int64 {
	if len(s.parts) == 1 {
		return int64(s.parts[0].blocksX)
	}
	sum := 0
	for _, p := range s.parts {
		sum += p.h * p.v
	}
	return int64(f.mcusX) * int64(sum)
}

// load takes the entropy-coded segment at d.pos and moves behind it.
func (d *decoder) load(s *scan) {
	d.pos += d.bits.load(d.content[d.pos:])
	d.visits += visitsPerByte * int64(d.bits.size)
	if d.frame.arithmetic {
		d.arith.left += decisionsPerByte * int64(d.bits.size)
		d.arith.start(&d.bits, s)
	}
}

// dry reports whether the segment has no more data.
func (d *decoder) dry() bool { return d.bits.overrun() || d.frame.arithmetic && d.arith.failed }

// cut reports whether the file ends before the data do. Arithmetic coding leaves out zeros at the end, so there only the next marker shows the end.
func (d *decoder) cut() bool { return d.bits.ended && (d.bits.overrun() || d.frame.arithmetic) }

// decodeMCU decodes the blocks of all components of a scan at the MCU x, y.
func (d *decoder) decodeMCU(s *scan, x, y int, dry bool) {
	for i := range s.parts {
		p := &s.parts[i]
		for v := range p.v {
			for h := range p.h {
				d.decodeBlock(s, p, x*p.h+h, y*p.v+v, dry)
			}
		}
	}
}
