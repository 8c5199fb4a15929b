package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// frame is the image that the frame header describes.
type frame struct {
	width, height int
	progressive   bool
	arithmetic    bool
	components    []component
	color         colorModel
	hMax, vMax    int // largest sampling factors
	mcusX, mcusY  int // of an interleaved scan

	scale      int // of the result
	outW, outH int // size of the result
}

// component is one channel.
type component struct {
	id       uint8
	h, v     int // sampling factors
	selector uint8
	quant    quantTable // as it was at the component's first scan
	side     int        // a block becomes side x side samples: 8, or less when scaled

	blocksX, blocksY int     // that the component has by itself, as in a scan of its own
	strideX          int     // blocks in a row of coefs, whole MCUs
	coefs            []int16 // of a progressive image
	last             []uint8 // for each block, the place of its last coefficient in the order of the file
	samples          plane
	scanned          bool
}

// readFrame reads the frame header: ISO/IEC 10918-1, B.2.2.
func (d *decoder) readFrame(body []byte) error {
	if d.seenFrame {
		return errors.New("a second frame header")
	}
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return fmt.Errorf("the frame header has %d bytes, which does not fit its number of components", len(body))
	}
	if body[0] != 8 {
		return fmt.Errorf("samples of %d bits are not read, only of 8: convert the file to PNG", body[0])
	}
	f := &d.frame
	f.progressive = d.marker == sof2 || d.marker == sof10
	f.arithmetic = d.marker == sof9 || d.marker == sof10
	f.height, f.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if f.width == 0 || f.height == 0 {
		return fmt.Errorf("the size is %dx%d", f.width, f.height)
	}
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d components: an image has 1, 3 or 4", n)
	}
	f.components = make([]component, n)
	for i := range f.components {
		c, b := &f.components[i], body[6+3*i:]
		c.id, c.h, c.v, c.selector = b[0], int(b[1]>>4), int(b[1]&15), b[2]
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return fmt.Errorf("component %d has sampling factors %dx%d: they are from 1 to 4", i+1, c.h, c.v)
		}
		if c.selector > 3 {
			return fmt.Errorf("component %d has quantisation table %d: there are 0 to 3", i+1, c.selector)
		}
		f.hMax, f.vMax = max(f.hMax, c.h), max(f.vMax, c.v)
	}
	d.seenFrame = true
	return nil
}

// checkLength refuses a file that is too short for its size. A Huffman code has at least a bit, and each block has one in the first scan of its
// component: the difference to the block before. Arithmetic coding may spend next to nothing on a block.
func (f *frame) checkLength(bytes int) error {
	if f.arithmetic {
		return nil
	}
	for _, c := range f.components {
		across, down := ceilDiv(f.width*c.h, 8*f.hMax), ceilDiv(f.height*c.v, 8*f.vMax)
		if int64(across)*int64(down) > 8*int64(bytes) {
			return fmt.Errorf("%d bytes are too few for %dx%d pixels", bytes, f.width, f.height)
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// layout computes the sizes of the result and of everything on the way.
func (f *frame) layout(scale int) {
	f.scale = scale
	f.outW, f.outH = ceilDiv(f.width, f.scale), ceilDiv(f.height, f.scale)
	f.mcusX, f.mcusY = ceilDiv(f.width, 8*f.hMax), ceilDiv(f.height, 8*f.vMax)
	for i := range f.components {
		f.layoutComponent(&f.components[i])
	}
}

func (f *frame) layoutComponent(c *component) {
	c.blocksX, c.blocksY = ceilDiv(f.width*c.h, 8*f.hMax), ceilDiv(f.height*c.v, 8*f.vMax)
	c.strideX = f.mcusX * c.h
	// A scaled image takes more samples from a component of lower resolution, if that brings it to the resolution of the others. The factor
	// must fit in both directions.
	smallest := 8 / f.scale
	c.side = smallest
	for c.side < 8 && f.hMax*smallest%(2*c.side*c.h) == 0 && f.vMax*smallest%(2*c.side*c.v) == 0 {
		c.side *= 2
	}
	c.samples = plane{
		w:      ceilDiv(f.width*c.h*c.side, 8*f.hMax),
		h:      ceilDiv(f.height*c.v*c.side, 8*f.vMax),
		stride: c.strideX * c.side,
	}
	c.samples.setRatio(c.h*c.side, f.hMax*smallest, c.v*c.side, f.vMax*smallest, smallest == 1)
}

// planeSize returns the number of samples that are stored.
func (f *frame) planeSize(c *component) int64 {
	return int64(c.samples.stride) * int64(f.mcusY*c.v*c.side)
}

// blocks returns the number of blocks that a progressive image stores.
func (f *frame) blocks(c *component) int64 { return int64(c.strideX) * int64(f.mcusY*c.v) }

// allBlocks returns the number of blocks of all components.
func (f *frame) allBlocks() int64 {
	sum := int64(0)
	for i := range f.components {
		sum += f.blocks(&f.components[i])
	}
	return sum
}

// memory returns the bytes that allocate takes.
func (f *frame) memory() int64 {
	sum := int64(0)
	for i := range f.components {
		c := &f.components[i]
		sum += f.planeSize(c)
		if f.progressive {
			sum += (2*64 + 1) * f.blocks(c)
		}
	}
	return sum
}

func (f *frame) allocate() {
	for i := range f.components {
		c := &f.components[i]
		c.samples.pix = make([]uint8, f.planeSize(c))
		if f.progressive {
			c.coefs, c.last = make([]int16, 64*f.blocks(c)), make([]uint8, f.blocks(c))
		}
	}
}

// image returns the result.
func (f *frame) image() *Image {
	m := &Image{w: f.outW, h: f.outH, color: f.color}
	for i := range f.components {
		m.planes = append(m.planes, f.components[i].samples)
	}
	return m
}
