package jpeg

import "sync"

// decoder holds what the segments of a file define. Decoders are reused, for their tables are large.
type decoder struct {
	content []byte
	pos     int   // in content, after marker
	marker  uint8 // the last one that was found

	frame      frame
	seenFrame  bool
	quant      [4]quantTable
	huff       [2][4]huffTable // DC, AC
	interval   int             // MCUs between restart markers, 0 for none
	jfif       bool
	adobe      bool
	transform  uint8 // of the Adobe segment
	bits       bitReader
	arith      arithmetic
	block      [64]int16
	dirty      bool // block has more than its first coefficient
	scanCount  int
	visits     int64 // of blocks that the data so far may still take
	nextRST    uint8
	endOfBands int // blocks of a progressive scan that are still to be skipped
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func newDecoder(content []byte) *decoder {
	d := decoders.Get().(*decoder)
	d.content, d.pos, d.marker = content, 0, 0
	d.frame, d.seenFrame = frame{}, false
	for i := range d.quant {
		d.quant[i].defined = false
		d.huff[0][i].defined, d.huff[1][i].defined = false, false
	}
	d.bits.empty()
	d.arith.resetConditioning()
	d.arith.left, d.visits = 0, 0
	d.interval, d.jfif, d.adobe, d.scanCount = 0, false, false, 0
	return d
}

// decode decodes the components.
func (d *decoder) decode(scale int) error {
	if err := d.header(); err != nil {
		return err
	}
	d.frame.layout(scale)
	d.frame.allocate()
	blocks := d.frame.allBlocks()
	d.arith.left, d.visits = decisionsPerBlock*blocks, visitsPerBlock*blocks
	return d.scans()
}

func (d *decoder) free() {
	const keep = 4 << 20
	d.content, d.frame = nil, frame{}
	if cap(d.bits.data) > keep {
		d.bits.data = nil
	}
	decoders.Put(d)
}
