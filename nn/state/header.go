package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	prefixBytes = 8           // the header's length, little-endian
	maxHeader   = 100_000_000 // the format's own limit
	maxRank     = 64          // far above any real tensor; bounds what a header can make us keep
	metadataKey = "__metadata__"
)

// header is what stands before the data of a safetensors file.
type header struct {
	meta    map[string]string
	entries map[string]Entry
}

// readHeader reads and checks the header of a file of size bytes. Once it
// succeeds, the tensors cover the data without gap or overlap.
func readHeader(r io.ReaderAt, size int64) (header, error) {
	if size < prefixBytes {
		return header{}, fmt.Errorf("%d bytes are too few for a safetensors file", size)
	}
	var prefix [prefixBytes]byte
	if err := readFullAt(r, prefix[:], 0); err != nil {
		return header{}, fmt.Errorf("reading the header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return header{}, fmt.Errorf("header length %d is above the format's limit of %d", n, maxHeader)
	}
	if n > uint64(size-prefixBytes) {
		return header{}, fmt.Errorf("header length %d does not fit in a file of %d bytes", n, size)
	}
	text := make([]byte, n)
	if err := readFullAt(r, text, prefixBytes); err != nil {
		return header{}, fmt.Errorf("reading the header: %w", err)
	}
	h, err := parseHeader(text)
	if err != nil {
		return header{}, err
	}
	dataStart := prefixBytes + int64(n)
	if err := checkLayout(h.entries, size-dataStart); err != nil {
		return header{}, err
	}
	for name, e := range h.entries {
		e.Offset += dataStart
		h.entries[name] = e
	}
	return h, nil
}

// parseHeader decodes the JSON object of names. Offsets stay relative to the
// start of the data. It walks tokens by hand because encoding/json accepts
// duplicate keys, other letter case and broken UTF-8.
func parseHeader(text []byte) (header, error) {
	if !utf8.Valid(text) {
		return header{}, errors.New("header is not valid UTF-8")
	}
	h := header{meta: map[string]string{}, entries: map[string]Entry{}}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	err := eachKey(dec, func(name string) error {
		err := checkName(name)
		switch {
		case name == metadataKey:
			err = parseMetadata(dec, h.meta)
		case err == nil:
			h.entries[name], err = parseEntry(dec, name)
		}
		if err != nil {
			return fmt.Errorf("tensor %s: %w", quote(name), err)
		}
		return nil
	})
	if err != nil {
		return header{}, fmt.Errorf("header: %w", err)
	}
	if rest := bytes.Trim(text[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return header{}, fmt.Errorf("header: %d bytes follow the JSON object", len(rest))
	}
	return h, nil
}

const maxName = 1024 // bytes of a tensor's name

// checkName refuses names that no model has: they go into messages and onto terminals.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("the name has %d bytes, at most %d are sensible", len(name), maxName)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return errors.New("the name has control characters")
	}
	return nil
}

func parseMetadata(dec *json.Decoder, meta map[string]string) error {
	return eachKey(dec, func(key string) error {
		value, err := nextString(dec)
		meta[key] = value
		return err
	})
}

// parseEntry decodes {"dtype":"F32","shape":[2,3],"data_offsets":[0,24]} and
// checks that the three agree.
func parseEntry(dec *json.Decoder, name string) (Entry, error) {
	e := Entry{Name: name, Shape: []int{}}
	var hasShape bool
	var offsets []int64
	err := eachKey(dec, func(key string) (err error) {
		switch key {
		case "dtype":
			var s string
			s, err = nextString(dec)
			e.DType = DType(s)
		case "shape":
			hasShape = true
			var dims []int64
			dims, err = nextInts(dec, maxRank)
			for _, d := range dims {
				if d > math.MaxInt {
					return fmt.Errorf("size %d is too large", d)
				}
				e.Shape = append(e.Shape, int(d))
			}
		case "data_offsets":
			offsets, err = nextInts(dec, 2)
		default: // later versions of the format may say more
			var ignored json.RawMessage
			err = dec.Decode(&ignored)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quote(key), err)
		}
		return nil
	})
	if err != nil {
		return Entry{}, err
	}
	if e.DType == "" || !hasShape || len(offsets) != 2 {
		return Entry{}, errors.New("dtype, shape and two data_offsets are required")
	}
	if offsets[1] < offsets[0] {
		return Entry{}, fmt.Errorf("data_offsets %v run backwards", offsets)
	}
	e.Offset, e.Size = offsets[0], offsets[1]-offsets[0]
	want, err := byteSize(e.DType, e.Shape)
	if err != nil {
		return Entry{}, err
	}
	if e.DType.Size() == 0 { // of a type that is not known: only those who read the tensor mind
		return e, checkType(e.DType)
	}
	if want != e.Size {
		return Entry{}, fmt.Errorf("%s %v takes %d bytes, data_offsets %v give %d", e.DType, e.Shape, want, offsets, e.Size)
	}
	return e, nil
}

// checkType refuses names of types that are none.
func checkType(d DType) error {
	const limit = 32 // far above any name
	if len(d) > limit || strings.ContainsFunc(string(d), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return fmt.Errorf("unknown dtype %s", quote(string(d)))
	}
	return nil
}

// byteSize returns the bytes of a tensor. Overflow is an error even where a
// size of 0 would hide it, so that no later product of sizes can overflow.
func byteSize(d DType, shape []int) (int64, error) {
	n, empty := 1, false
	for _, s := range shape {
		switch {
		case s < 0:
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		case s == 0:
			empty = true
		case n > math.MaxInt/16/s: // 16: the widest element
			return 0, fmt.Errorf("shape %v is too large", shape)
		default:
			n *= s
		}
	}
	if empty {
		n = 0
	}
	return int64(n) * int64(d.Size()), nil
}

// checkLayout verifies that the tensors cover dataSize bytes in a row: the
// format forbids holes, overlaps and bytes after the last tensor.
func checkLayout(entries map[string]Entry, dataSize int64) error {
	sorted := make([]Entry, 0, len(entries))
	for _, e := range entries {
		sorted = append(sorted, e)
	}
	slices.SortFunc(sorted, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name))
	})
	var end int64
	for _, e := range sorted {
		switch {
		case e.Size > dataSize-e.Offset:
			return fmt.Errorf("tensor %s: data_offsets [%d %d] run past the %d bytes of data (file truncated?)",
				quote(e.Name), e.Offset, e.Offset+e.Size, dataSize)
		case e.Offset < end:
			return fmt.Errorf("tensor %s: data_offsets start at %d inside another tensor that ends at %d", quote(e.Name), e.Offset, end)
		case e.Offset > end:
			return fmt.Errorf("tensor %s: data_offsets start at %d and leave a hole after %d", quote(e.Name), e.Offset, end)
		}
		end += e.Size
	}
	if end != dataSize {
		return fmt.Errorf("%d bytes follow the last tensor", dataSize-end)
	}
	return nil
}

// eachKey walks one JSON object; value must consume the value of each key.
func eachKey(dec *json.Decoder, value func(key string) error) error {
	if err := expect(dec, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := nextString(dec)
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("key %s stands twice", quote(key))
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return expect(dec, '}')
}

func expect(dec *json.Decoder, delim json.Delim) error {
	tok, err := nextToken(dec)
	if err == nil && tok != delim {
		err = fmt.Errorf("want %q at byte %d", rune(delim), dec.InputOffset())
	}
	return err
}

func nextString(dec *json.Decoder) (string, error) {
	tok, err := nextToken(dec)
	if err != nil {
		return "", err
	}
	s, ok := tok.(string)
	if !ok {
		return "", fmt.Errorf("want a string at byte %d", dec.InputOffset())
	}
	return s, nil
}

// nextInts reads an array of at most limit integers that are not negative.
func nextInts(dec *json.Decoder, limit int) ([]int64, error) {
	if err := expect(dec, '['); err != nil {
		return nil, err
	}
	var out []int64
	for dec.More() {
		tok, err := nextToken(dec)
		if err != nil {
			return nil, err
		}
		num, ok := tok.(json.Number)
		if !ok {
			return nil, fmt.Errorf("want an integer at byte %d", dec.InputOffset())
		}
		v, err := strconv.ParseUint(num.String(), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s is not an integer from 0 to 2^63-1", quote(num.String()))
		}
		if len(out) == limit {
			return nil, fmt.Errorf("more than %d numbers", limit)
		}
		out = append(out, int64(v))
	}
	return out, expect(dec, ']')
}

// nextToken is dec.Token with a text that ends early named as such.
func nextToken(dec *json.Decoder) (json.Token, error) {
	tok, err := dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return tok, err
}

// quote quotes a name from a file, cut short, for an error text.
func quote(s string) string {
	const limit = 120
	if len(s) > limit {
		return strconv.Quote(s[:limit]) + "..."
	}
	return strconv.Quote(s)
}
