package heif

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errCut is for a file that ends before its boxes do.
var errCut = errors.New("the file was cut short")

// box is a part of a file of the ISO base media format (ISO/IEC 14496-12).
type box struct {
	kind string
	body []byte
}

// boxHead is the size of a box's head: its size and its kind.
const boxHead = 8

// eachBox calls use for the boxes that content holds, one after the other.
func eachBox(content []byte, use func(box) error) error {
	for len(content) > 0 {
		if len(content) < boxHead {
			return errCut
		}
		size, head := uint64(binary.BigEndian.Uint32(content)), uint64(boxHead)
		switch size {
		case 0: // up to the end
			size = uint64(len(content))
		case 1: // 64 bits follow
			if len(content) < 2*boxHead {
				return errCut
			}
			size, head = binary.BigEndian.Uint64(content[boxHead:]), 2*boxHead
		}
		if size < head {
			return fmt.Errorf("box %q of %d bytes", content[4:8], size)
		}
		if size > uint64(len(content)) {
			return fmt.Errorf("box %q has %d bytes where %d are left: %w", content[4:8], size, len(content), errCut)
		}
		if err := use(box{string(content[4:8]), content[head:size]}); err != nil {
			return err
		}
		content = content[size:]
	}
	return nil
}

// reader reads numbers of big-endian order. After one that is not there, all are 0, and err is set.
type reader struct {
	rest []byte
	err  error
}

// uint reads a number of 0 to 8 bytes.
func (r *reader) uint(bytes int) (v uint64) {
	if len(r.rest) < bytes {
		r.rest, r.err = nil, errCut
		return 0
	}
	for _, b := range r.rest[:bytes] {
		v = v<<8 | uint64(b)
	}
	r.rest = r.rest[bytes:]
	return v
}

// full reads the version and the flags that a full box begins with.
func (r *reader) full() (version int, flags uint64) {
	version = int(r.uint(1))
	return version, r.uint(3)
}

// wide is 4 where a box of some version has its long numbers, else 2.
func wide(long bool) int {
	if long {
		return 4
	}
	return 2
}
