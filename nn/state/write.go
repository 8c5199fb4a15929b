package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"unicode/utf8"
)

// Named is one tensor to be written. Exactly one of the data fields is set:
// Float32s or Pieces with F32, Int32s with I32, Raw or Read with any type. All
// may be nil when the shape has no elements.
type Named struct {
	Name  string
	DType DType
	Shape []int // row-major sizes; empty for a scalar

	Float32s []float32
	Pieces   iter.Seq[[]float32] // yields Float32s piece by piece, when its turn to be written comes
	Int32s   []int32
	Raw      []byte                 // little-endian
	Read     func() ([]byte, error) // returns what Raw would be, when its turn to be written comes
}

// WriteSafetensors writes a safetensors file. Tensors are checked first, so
// that a wrong one writes nothing, and then streamed one after another without
// a copy of the model.
//
// The bytes depend on names and contents only, not on the order of tensors or
// of the map. Wide types come first, so that every tensor is aligned. Tensors of
// the same width are sorted by name.
func WriteSafetensors(w io.Writer, meta map[string]string, tensors []Named) error {
	if err := checkKeys(meta); err != nil {
		return fmt.Errorf("state: WriteSafetensors: %w", err)
	}
	sorted := inFileOrder(tensors)
	head, err := encodeHeader(meta, sorted)
	if err != nil {
		return fmt.Errorf("state: WriteSafetensors: %w", err)
	}
	if err := writeHead(w, head); err != nil {
		return err
	}
	return writeTensors(w, sorted)
}

// inFileOrder returns the tensors in the order of their data.
func inFileOrder(tensors []Named) []Named {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Named) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

func writeHead(w io.Writer, head []byte) error {
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("state: writing the header: %w", err)
	}
	return nil
}

// writeTensors writes the data of one tensor after another.
func writeTensors(w io.Writer, sorted []Named) error {
	buf := make([]byte, 0, 64<<10)
	for _, t := range sorted {
		if err := t.writeData(w, buf); err != nil {
			return fmt.Errorf("state: writing tensor %s: %w", quote(t.Name), err)
		}
	}
	return nil
}

// encodeHeader returns the length and the JSON text, padded with spaces so that
// the data starts at a multiple of 8.
func encodeHeader(meta map[string]string, tensors []Named) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, prefixBytes))
	b.WriteByte('{')
	if len(meta) > 0 {
		b.WriteString(`"` + metadataKey + `":{`)
		for i, key := range slices.Sorted(maps.Keys(meta)) {
			if !utf8.ValidString(key) || !utf8.ValidString(meta[key]) {
				return nil, fmt.Errorf("metadata %s: not valid UTF-8", quote(key))
			}
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(&b, key)
			b.WriteByte(':')
			writeJSON(&b, meta[key])
		}
		b.WriteByte('}')
	}
	seen := map[string]bool{}
	var offset int64
	for i, t := range tensors {
		size, err := t.check()
		if err == nil && seen[t.Name] {
			err = errors.New("stands twice")
		}
		if err == nil && offset > math.MaxInt64-size {
			err = errors.New("the file would be too large")
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", quote(t.Name), err)
		}
		seen[t.Name] = true
		if i > 0 || len(meta) > 0 {
			b.WriteByte(',')
		}
		writeJSON(&b, t.Name)
		b.WriteByte(':')
		writeJSON(&b, struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int64{offset, offset + size}})
		offset += size
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	n := b.Len() - prefixBytes
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is above the format's limit of %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(n))
	return b.Bytes(), nil
}

// check returns the bytes t takes in the file.
func (t Named) check() (int64, error) {
	if t.Name == metadataKey {
		return 0, errors.New("the name is reserved")
	}
	if !utf8.ValidString(t.Name) {
		return 0, errors.New("the name is not valid UTF-8")
	}
	if err := checkName(t.Name); err != nil {
		return 0, err
	}
	if len(t.Shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, at most %d can be written", len(t.Shape), maxRank)
	}
	if t.DType.Size() == 0 {
		return 0, fmt.Errorf("unknown dtype %s", quote(string(t.DType)))
	}
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return 0, err
	}
	var got int64
	var sources int
	for _, src := range []struct {
		set   bool
		bytes int64
		ok    bool
	}{
		{t.Float32s != nil, 4 * int64(len(t.Float32s)), t.DType == F32},
		{t.Pieces != nil, size, t.DType == F32},
		{t.Int32s != nil, 4 * int64(len(t.Int32s)), t.DType == I32},
		{t.Raw != nil, int64(len(t.Raw)), true},
		{t.Read != nil, size, true},
	} {
		if !src.set {
			continue
		}
		if !src.ok {
			return 0, fmt.Errorf("the data are not of dtype %s", t.DType)
		}
		got = src.bytes
		sources++
	}
	if sources > 1 {
		return 0, errors.New("more than one of Float32s, Pieces, Int32s, Raw and Read is set")
	}
	if got != size {
		return 0, fmt.Errorf("%s %v takes %d bytes, the data have %d", t.DType, t.Shape, size, got)
	}
	return size, nil
}

// writeData streams the elements through buf, of which only the capacity
// matters.
func (t Named) writeData(w io.Writer, buf []byte) error {
	switch {
	case t.Float32s != nil:
		return writeWords(w, buf, t.Float32s, math.Float32bits)
	case t.Pieces != nil:
		return t.writePieces(w, buf)
	case t.Int32s != nil:
		return writeWords(w, buf, t.Int32s, func(v int32) uint32 { return uint32(v) })
	}
	raw := t.Raw
	if t.Read != nil {
		var err error
		if raw, err = t.Read(); err != nil {
			return err
		}
		if size, _ := byteSize(t.DType, t.Shape); int64(len(raw)) != size {
			panic(fmt.Sprintf("state: writing %s: Read gave %d bytes, %s %v takes %d", t.Name, len(raw), t.DType, t.Shape, size))
		}
	}
	_, err := w.Write(raw)
	return err
}

func (t Named) writePieces(w io.Writer, buf []byte) error {
	n := int64(0)
	for piece := range t.Pieces {
		if err := writeWords(w, buf, piece, math.Float32bits); err != nil {
			return err
		}
		n += 4 * int64(len(piece))
	}
	if size, _ := byteSize(t.DType, t.Shape); n != size {
		panic(fmt.Sprintf("state: writing %s: Pieces gave %d bytes, %s %v takes %d", t.Name, n, t.DType, t.Shape, size))
	}
	return nil
}

func writeWords[T any](w io.Writer, buf []byte, values []T, bits func(T) uint32) error {
	for chunk := range slices.Chunk(values, cap(buf)/4) {
		b := buf[:0]
		for _, v := range chunk {
			b = binary.LittleEndian.AppendUint32(b, bits(v))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON appends the JSON of a string or of a header entry.
func writeJSON(b *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic("state: encoding the header: " + err.Error()) // strings and integers always encode
	}
	b.Write(text)
}
