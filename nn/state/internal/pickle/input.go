package pickle

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// input reads the pickle's bytes and counts them.
type input struct {
	r    *bufio.Reader
	left int64 // bytes that there may still be
	kept int64 // bytes that may still be kept
}

// take counts bytes that are kept.
func (in *input) take(n int64) error {
	in.left -= n
	if in.kept -= n; in.kept < 0 {
		return fmt.Errorf("longer than %d bytes, long texts not counted", MaxBytes)
	}
	return nil
}

func (in *input) byte() (byte, error) {
	b, err := in.r.ReadByte()
	if err != nil {
		return 0, early(err)
	}
	return b, in.take(1)
}

// check compares a length with what is left.
func (in *input) check(n uint64) error {
	if n > uint64(max(in.left, 0)) {
		return fmt.Errorf("a length of %d, where at most %d bytes follow", n, in.left)
	}
	return nil
}

// skip passes over n bytes.
func (in *input) skip(n uint64) error {
	if err := in.check(n); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, in.r, int64(n))
	in.left -= int64(n)
	return early(err)
}

// bytes reads n bytes. A length beyond what is left takes no memory.
func (in *input) bytes(n uint64) ([]byte, error) {
	if err := in.check(n); err != nil {
		return nil, err
	}
	if err := in.take(int64(n)); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in.r, b); err != nil {
		return nil, early(err)
	}
	return b, nil
}

// uint reads a little-endian integer of width bytes.
func (in *input) uint(width int) (v uint64, err error) {
	for i := range width {
		b, err := in.byte()
		if err != nil {
			return 0, err
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// Longest lines of a pickle of protocol 0.
const (
	maxLine   = 1024    // name or place in the memo
	maxDigits = 1 << 16 // integer: above it, conversion takes long
)

// line reads up to a line break, which is left out.
func (in *input) line(limit int) (string, error) {
	var s strings.Builder
	for range limit {
		b, err := in.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return s.String(), nil
		}
		s.WriteByte(b)
	}
	return "", fmt.Errorf("a line is longer than %d bytes", limit)
}

// keptLine is line for a text. It passes over one of more than limit bytes, of which
// nothing is kept.
func (in *input) keptLine(limit int) (s string, kept bool, err error) {
	var b strings.Builder
	for {
		c, err := in.byte()
		switch {
		case err != nil:
			return "", false, err
		case c == '\n':
			return b.String(), true, nil
		case b.Len() == limit:
			in.kept += int64(limit) + 1
			return "", false, in.skipLine()
		}
		b.WriteByte(c)
	}
}

// skipLine passes over the rest of a line.
func (in *input) skipLine() error {
	for {
		b, err := in.r.ReadByte()
		if err != nil {
			return early(err)
		}
		if in.left--; b == '\n' {
			return nil
		}
	}
}

// early names the end of the input as an error.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
