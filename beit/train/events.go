package train

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
)

// eventsFile holds what metrics.jsonl does, in the form that TensorBoard reads: it takes every file with "tfevents" in its name.
const eventsFile = "events.out.tfevents.beit"

// openEvents writes the records that metrics.jsonl has and opens the file for more. Their times are lost: all get the present one.
func (r *run) openEvents(known []Record) (err error) {
	name := filepath.Join(r.dir, eventsFile)
	err = r.write(name, func(w io.Writer) error {
		log := frame(nil, event(0, fileVersion("brain.Event:2")))
		for _, rec := range known {
			log = frame(log, rec.event())
		}
		_, err := w.Write(log)
		return err
	})
	if err != nil {
		return err
	}
	if r.events, err = os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0o666); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return nil
}

// event is the record as a message Event of TensorFlow's event.proto: its values are a Summary of scalars, tagged "step/loss" and so on.
func (r Record) event() []byte {
	var summary []byte
	for _, key := range slices.Sorted(maps.Keys(r.Values)) {
		value := bytesField(nil, 1, []byte(r.Kind+"/"+key)) // tag
		value = append(value, 2<<3|5)                       // simple_value
		value = binary.LittleEndian.AppendUint32(value, math.Float32bits(float32(r.Values[key])))
		summary = bytesField(summary, 1, value)
	}
	return event(r.Step, bytesField(nil, 5, summary))
}

// event begins an Event with wall_time and step.
func event(step int, what []byte) []byte {
	e := []byte{1<<3 | 1}
	e = binary.LittleEndian.AppendUint64(e, math.Float64bits(float64(time.Now().UnixMilli())/1000))
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

// frame appends a message as TFRecord: its length, a checksum of that, the message, a checksum of that.
func frame(dst, message []byte) []byte {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(message)))
	dst = binary.LittleEndian.AppendUint32(append(dst, head...), masked(head))
	return binary.LittleEndian.AppendUint32(append(dst, message...), masked(message))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is TFRecord's checksum.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}
