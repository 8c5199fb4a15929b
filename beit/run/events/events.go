package events

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gobeit/gobeit/beit/run"
)

// File is the name of the file in a run folder. TensorBoard takes every file with "tfevents" in its name.
const File = "events.out.tfevents.beit"

// TagFunc names the curve of a value of records of a kind. An empty name leaves the value out.
type TagFunc func(kind, key string) string

// DefaultTag is kind/key, as in "step/loss".
func DefaultTag(kind, key string) string { return kind + "/" + key }

// Writer appends records to a file of events. It belongs to one goroutine.
type Writer struct {
	file io.WriteCloser
	tag  TagFunc
}

// Open replaces the file by one with the known records, and opens it for more. Records without a time, of older runs, get the present time. A
// nil tag is DefaultTag.
func Open(dir string, known []run.Record, tag TagFunc, write run.WriteFunc) (*Writer, error) {
	if tag == nil {
		tag = DefaultTag
	}
	name := filepath.Join(dir, File)
	err := write(name, func(w io.Writer) error {
		if _, err := w.Write(frame(event(time.Now(), 0, fileVersion("brain.Event:2")))); err != nil {
			return err
		}
		for _, rec := range known {
			if _, err := w.Write(encode(rec, tag)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return &Writer{f, tag}, nil
}

// Append writes a record. A zero time becomes the present time.
func (w *Writer) Append(rec run.Record) error {
	if _, err := w.file.Write(encode(rec, w.tag)); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return nil
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// encode is a record as a framed message Event of TensorFlow's event.proto: its values are a Summary of scalars. It is empty when no value
// has a tag.
func encode(rec run.Record, tag TagFunc) []byte {
	var summary []byte
	for _, key := range slices.Sorted(maps.Keys(rec.Values)) {
		name := tag(rec.Kind, key)
		if name == "" {
			continue
		}
		value := bytesField(nil, 1, []byte(name)) // tag
		value = append(value, 2<<3|5)             // simple_value
		value = binary.LittleEndian.AppendUint32(value, math.Float32bits(float32(rec.Values[key])))
		summary = bytesField(summary, 1, value)
	}
	if summary == nil {
		return nil
	}
	at := rec.Time
	if at.IsZero() {
		at = time.Now()
	}
	return frame(event(at, rec.Step, bytesField(nil, 5, summary)))
}

// event is an Event with wall_time, step, and what it tells.
func event(at time.Time, step int, what []byte) []byte {
	e := []byte{1<<3 | 1}
	e = binary.LittleEndian.AppendUint64(e, math.Float64bits(float64(at.UnixMilli())/1000))
	if step > 0 { // 0 is the default
		e = binary.AppendUvarint(append(e, 2<<3), uint64(step))
	}
	return append(e, what...)
}

// fileVersion is an Event's file_version.
func fileVersion(version string) []byte { return bytesField(nil, 3, []byte(version)) }

// bytesField appends a field of bytes, a string or a message in protocol buffers' wire format. number is below 16.
func bytesField(dst []byte, number byte, v []byte) []byte {
	dst = binary.AppendUvarint(append(dst, number<<3|2), uint64(len(v)))
	return append(dst, v...)
}

// frame is a message as TFRecord: its length, a checksum of that, the message, a checksum of that.
func frame(message []byte) []byte {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(message)))
	dst := binary.LittleEndian.AppendUint32(head, masked(head))
	return binary.LittleEndian.AppendUint32(append(dst, message...), masked(message))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is TFRecord's checksum.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
