package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
)

const (
	magic     = "\x93NUMPY"
	maxHeader = 1 << 16 // bytes of text; NumPy itself reads at most 10000
	maxRank   = 64      // as in NumPy 2
)

// header is what stands before the numbers of a .npy file (numpy.lib.format).
type header struct {
	dtype   state.DType
	big     bool // big-endian
	fortran bool // the first axis varies fastest
	shape   []int
}

// readHeader reads and checks the header of an array of size bytes in all. It returns how many bytes of numbers follow.
func readHeader(r io.Reader, size int64) (h header, rest int64, err error) {
	prefix := make([]byte, len(magic)+2, len(magic)+6)
	if _, err := io.ReadFull(r, prefix); err != nil || string(prefix[:len(magic)]) != magic {
		if err = realError(err); err == nil {
			err = errors.New("not an array of NumPy, which begins with \\x93NUMPY")
		}
		return h, 0, err
	}
	version, width := prefix[len(magic)], 4
	switch version {
	case 1:
		width = 2
	case 2, 3:
	default:
		return h, 0, fmt.Errorf("version %d of the format is not known", version)
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(r, length[:width]); err != nil {
		return h, 0, cutShort(err)
	}
	n := int64(binary.LittleEndian.Uint32(length))
	rest = size - int64(len(prefix)+width) - n
	if n > maxHeader || rest < 0 {
		return h, 0, fmt.Errorf("a header of %d bytes: at most %d are sensible, and the file has %d in all", n, maxHeader, size)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, 0, cutShort(err)
	}
	if h, err = parseHeader(string(text)); err != nil {
		return h, 0, fmt.Errorf("header: %w", err)
	}
	return h, rest, h.check(rest)
}

// check compares the shape with the bytes that are there.
func (h header) check(rest int64) error {
	want := int64(h.dtype.Size())
	for _, n := range h.shape {
		if n > 0 && want > math.MaxInt/16/int64(n) {
			return fmt.Errorf("shape %v is too large", h.shape)
		}
		want *= int64(max(n, 1))
	}
	if slices.Contains(h.shape, 0) {
		want = 0
	}
	switch {
	case rest < want:
		return fmt.Errorf("%s %v takes %d bytes, and there are %d: the file is cut short", h.dtype, h.shape, want, rest)
	case rest > want:
		return fmt.Errorf("%s %v takes %d bytes, and there are %d", h.dtype, h.shape, want, rest)
	}
	return nil
}

// parseHeader reads the literal of a Python dict with the keys descr, fortran_order and shape, and nothing else of Python.
func parseHeader(text string) (h header, err error) {
	p := parser{text}
	found := map[string]bool{}
	if err := p.want("{"); err != nil {
		return h, err
	}
	for !p.take("}") {
		key, err := p.text()
		if err == nil && found[key] {
			err = fmt.Errorf("%.30q stands twice", key)
		}
		if err == nil {
			err = p.want(":")
		}
		if err != nil {
			return h, err
		}
		switch key {
		case "descr":
			err = p.descr(&h)
		case "fortran_order":
			h.fortran, err = p.bool()
		case "shape":
			h.shape, err = p.tuple()
		default:
			err = fmt.Errorf("%.30q is not a key of the format", key)
		}
		if err != nil {
			return h, err
		}
		found[key] = true
		if !p.take(",") {
			if err := p.want("}"); err != nil {
				return h, err
			}
			break
		}
	}
	if p.space(); p.rest != "" {
		return h, fmt.Errorf("%.30q follows the dict", p.rest)
	}
	if len(found) != 3 {
		return h, errors.New("want the keys descr, fortran_order and shape")
	}
	return h, nil
}

// dtypes are NumPy's types of numbers without the byte order.
var dtypes = map[string]state.DType{
	"f2": state.F16, "f4": state.F32, "f8": state.F64, "b1": state.BOOL,
	"i1": state.I8, "i2": state.I16, "i4": state.I32, "i8": state.I64, "u1": state.U8, "u2": state.U16, "u4": state.U32, "u8": state.U64,
}

// parser reads a header from its beginning.
type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// take reports whether a word comes next, and goes behind it.
func (p *parser) take(word string) (ok bool) {
	p.space()
	p.rest, ok = strings.CutPrefix(p.rest, word)
	return ok
}

func (p *parser) want(word string) error {
	if !p.take(word) {
		return fmt.Errorf("want %q before %.30q", word, p.rest)
	}
	return nil
}

// text reads a string without escapes.
func (p *parser) text() (string, error) {
	quote := "'"
	if !p.take(quote) {
		if quote = `"`; !p.take(quote) {
			return "", fmt.Errorf("want a string before %.30q", p.rest)
		}
	}
	text, rest, ok := strings.Cut(p.rest, quote)
	if !ok || strings.Contains(text, `\`) {
		return "", fmt.Errorf("want the end of a string in %.30q", p.rest)
	}
	p.rest = rest
	return text, nil
}

// descr reads the type of the numbers.
func (p *parser) descr(h *header) error {
	if p.take("[") || p.take("(") {
		return errors.New("a structured array: save each of its fields as an array of its own")
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	ok := false
	if len(text) == 3 {
		h.dtype, ok = dtypes[text[1:]]
		h.big = text[0] == '>'
		ok = ok && (text[0] == '<' || h.big || text[0] == '|' && h.dtype.Size() == 1)
	}
	switch {
	case ok:
		return nil
	case strings.HasPrefix(text, "|O"):
		return errors.New("an array of Python objects: save it as numbers, with x.astype('float32')")
	}
	return fmt.Errorf("elements of type %.30q are not read here: save them as numbers, with x.astype('float32')", text)
}

func (p *parser) bool() (bool, error) {
	if p.take("True") {
		return true, nil
	}
	return false, p.want("False")
}

// tuple reads a tuple of sizes. Python 2 wrote an L behind some.
func (p *parser) tuple() (sizes []int, err error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	for !p.take(")") {
		p.space()
		digits := p.rest[:len(p.rest)-len(strings.TrimLeft(p.rest, "0123456789"))]
		n, err := strconv.Atoi(digits)
		if err != nil || len(sizes) == maxRank {
			return nil, fmt.Errorf("want at most %d sizes, each below 2^63, before %.30q", maxRank, p.rest)
		}
		p.rest = strings.TrimPrefix(p.rest[len(digits):], "L")
		sizes = append(sizes, n)
		if !p.take(",") {
			return sizes, p.want(")")
		}
	}
	return sizes, nil
}

// encodeHeader returns a header of version 1 of at least so many bytes, and of a multiple of 64, as the format wants.
func encodeHeader(descr string, shape []int, least int) []byte {
	var sizes strings.Builder
	for _, n := range shape {
		sizes.WriteString(strconv.Itoa(n) + ", ")
	}
	head := []byte(magic + "\x01\x00\x00\x00")
	head = fmt.Appendf(head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(sizes.String(), " "))
	size := max(least, (len(head)+1+63)/64*64)
	head = fmt.Appendf(head, "%*s", size-len(head), "\n")
	binary.LittleEndian.PutUint16(head[len(magic)+2:], uint16(size-len(magic)-4))
	return head
}

// cutShort is the error of a file that ends too early, or of reading it.
func cutShort(err error) error {
	if err = realError(err); err == nil {
		err = errors.New("the file is cut short")
	}
	return err
}

// realError is nil where an error only says that a file ended.
func realError(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
