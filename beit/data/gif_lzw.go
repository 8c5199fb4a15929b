package data

import (
	"errors"
	"fmt"
	"io"
)

// gifMaxCode is the largest number of bits of a code.
const gifMaxCode = 12

// gifCodes decodes the LZW codes of a frame. It reads on over empty blocks, as Pillow does.
type gifCodes struct {
	blocks []byte
	block  []byte // what is left of the block that is read
	bits   uint8  // of the colours

	held    uint32 // bits that were read and not used
	holds   uint8  // their number
	width   uint8  // of a code
	free    int    // the first code without a meaning
	last    int    // the code before, -1 after a clear code
	first   uint8  // first colour of its text
	prefix  [1 << gifMaxCode]uint16
	suffix  [1 << gifMaxCode]uint8
	scratch [1<<gifMaxCode + 1]uint8
	text    []uint8 // of the last code, as far as the caller left it
}

// reset does what the clear code says.
func (c *gifCodes) reset() {
	c.width, c.free, c.last = c.bits+1, 1<<c.bits+2, -1
}

// code reads the next code.
func (c *gifCodes) code() (int, error) {
	for c.holds < c.width {
		for len(c.block) == 0 {
			if len(c.blocks) == 0 || len(c.blocks) < 1+int(c.blocks[0]) {
				return 0, fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
			}
			c.block, c.blocks = gifBlock(c.blocks)
		}
		c.held |= uint32(c.block[0]) << c.holds
		c.holds += 8
		c.block = c.block[1:]
	}
	code := c.held & (1<<c.width - 1)
	c.held >>= c.width
	c.holds -= c.width
	return int(code), nil
}

// next sets text to the colours of the next code that has any.
func (c *gifCodes) next() error {
	for {
		code, err := c.code()
		switch clear := 1 << c.bits; {
		case err != nil:
			return err
		case code == clear:
			c.reset()
		case code == clear+1:
			return fmt.Errorf("the pixels end early: %w", io.ErrUnexpectedEOF)
		default:
			return c.expand(code)
		}
	}
}

// expand sets text to what a code stands for, and gives the next free code its meaning.
func (c *gifCodes) expand(code int) error {
	colours, at := 1<<c.bits, len(c.scratch)
	if c.last < 0 && code > colours || code > c.free || code >= 1<<gifMaxCode && code >= colours {
		return errors.New("the pixels are damaged: a code has no meaning")
	}
	root := code
	if code == c.free && c.last >= 0 {
		at--
		c.scratch[at] = c.first
		root = c.last
	}
	for root >= colours {
		at--
		c.scratch[at] = c.suffix[root]
		root = int(c.prefix[root])
	}
	at--
	c.first = uint8(root)
	c.scratch[at] = c.first
	c.text = c.scratch[at:]
	if c.last >= 0 && c.free < 1<<gifMaxCode {
		c.suffix[c.free], c.prefix[c.free] = c.first, uint16(c.last)
		if c.free == 1<<c.width-1 && c.width < gifMaxCode {
			c.width++
		}
		c.free++
	}
	c.last = code
	return nil
}
