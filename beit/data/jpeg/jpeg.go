package jpeg

import (
	"fmt"
	"math"
)

// Config is what the header of a file says.
type Config struct {
	Width, Height int
	Components    int   // 1 is grey, 3 YCbCr or RGB, 4 CMYK or YCCK
	Progressive   bool  // a progressive file is decoded as a whole before its first row is known
	Memory        int64 // bytes that decoding at full size takes, beside the content and a copy of its compressed data
}

// Options changes what Decode does. The zero value decodes the whole image at full size without a bound on memory.
type Options struct {
	// Scale divides both sides, rounded up: 1, 2, 4 or 8. 0 means 1.
	Scale int
	// Memory bounds what Config.Memory tells, for this scale. 0 means no bound but that of the machine.
	Memory int64
}

// ReadConfig reads the header. It decodes no pixels.
func ReadConfig(content []byte) (Config, error) {
	d := newDecoder(content)
	defer d.free()
	if err := d.header(); err != nil {
		return Config{}, err
	}
	f := &d.frame
	f.layout(1)
	return Config{f.width, f.height, len(f.components), f.progressive, f.memory()}, nil
}

// Decode decodes a file. The result does not refer to content.
func Decode(content []byte, o Options) (*Image, error) {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Scale != 1 && o.Scale != 2 && o.Scale != 4 && o.Scale != 8 {
		panic(fmt.Sprintf("jpeg: Decode: scale %d: must be 1, 2, 4 or 8", o.Scale))
	}
	d := newDecoder(content)
	defer d.free()
	if err := d.header(); err != nil {
		return nil, err
	}
	d.frame.layout(o.Scale)
	limit := o.Memory
	if limit == 0 {
		limit = math.MaxInt
	}
	if need := d.frame.memory(); need > limit {
		return nil, fmt.Errorf("%dx%d pixels take %d bytes of memory: the limit is %d", d.frame.width, d.frame.height, need, limit)
	}
	d.frame.allocate()
	d.arith.left = d.frame.decisions(len(content))
	if err := d.scans(); err != nil {
		return nil, err
	}
	return d.frame.image(), nil
}
