// Package eventstest reads TensorBoard's event files back, for tests. It is written from the formats' descriptions and shares nothing with
// the writer in beit/run/events.
package eventstest

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Scalar is one value of one event.
type Scalar struct {
	Wall  time.Time // UTC, in whole milliseconds
	Step  uint64
	Tag   string
	Value float32
}

// Scalars returns the values of a file. Its first event, and no other, must give the version, and every event a time of these years.
func Scalars(log []byte) (list []Scalar, err error) {
	records, err := Records(log)
	if err != nil {
		return nil, err
	}
	for i, record := range records {
		event, err := fields(record)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		scalars, err := scalarsOf(event, i == 0)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		list = append(list, scalars...)
	}
	return list, nil
}

// scalarsOf reads one event: 1 is the time, 2 the step, 3 the version, 5 a summary, whose fields 1 are pairs of tag and value.
func scalarsOf(event []field, first bool) (list []Scalar, err error) {
	var wall time.Time
	var step uint64
	var version string
	for _, f := range event {
		switch f.number {
		case 1:
			wall = time.UnixMilli(int64(math.Round(1000 * math.Float64frombits(binary.LittleEndian.Uint64(f.value))))).UTC()
		case 2:
			step, _ = binary.Uvarint(f.value)
		case 3:
			version = string(f.value)
		case 5:
			values, err := fields(f.value)
			if err != nil {
				return nil, err
			}
			for _, v := range values {
				pair, err := fields(v.value)
				if err != nil || len(pair) != 2 || v.number != 1 || pair[0].number != 1 || pair[1].number != 2 {
					return nil, fmt.Errorf("a value of %v, error %v", pair, err)
				}
				list = append(list, Scalar{wall, step, string(pair[0].value), math.Float32frombits(binary.LittleEndian.Uint32(pair[1].value))})
			}
		}
	}
	if wall.Year() < 2024 {
		return nil, fmt.Errorf("time %s", wall)
	}
	if want := map[bool]string{true: "brain.Event:2"}[first]; version != want {
		return nil, fmt.Errorf("version %q, want %q", version, want)
	}
	return list, nil
}

// Records splits a file of TFRecords into its messages. Every length and checksum must be right.
func Records(log []byte) (messages [][]byte, err error) {
	for at := 0; at < len(log); {
		rest := log[at:]
		if len(rest) < 16 {
			return nil, fmt.Errorf("byte %d: %d bytes are no record", at, len(rest))
		}
		n := binary.LittleEndian.Uint64(rest)
		if got, want := unmask(binary.LittleEndian.Uint32(rest[8:])), crc32c(rest[:8]); got != want {
			return nil, fmt.Errorf("byte %d: checksum of the length is %08x, want %08x", at, got, want)
		}
		if n > uint64(len(rest)-16) {
			return nil, fmt.Errorf("byte %d: a record of %d bytes, %d are left", at, n, len(rest)-16)
		}
		message := rest[12 : 12+n]
		if got, want := unmask(binary.LittleEndian.Uint32(rest[12+n:])), crc32c(message); got != want {
			return nil, fmt.Errorf("byte %d: checksum of the message is %08x, want %08x", at, got, want)
		}
		messages = append(messages, message)
		at += int(16 + n)
	}
	return messages, nil
}

// crc32c is the checksum of Castagnoli, a bit at a time by its definition (RFC 3720, appendix B.4), not by the table that writes it.
func crc32c(data []byte) uint32 {
	c := ^uint32(0)
	for _, b := range data {
		c ^= uint32(b)
		for range 8 {
			c = c>>1 ^ 0x82f63b78&-(c&1)
		}
	}
	return ^c
}

// unmask undoes what TFRecord does to a checksum: rotate right by 15 bits, add a constant.
func unmask(m uint32) uint32 {
	m -= 0xa282ead8
	return m<<15 | m>>17
}

// field is one field of a message in protocol buffers' wire format.
type field struct {
	number uint64
	value  []byte
}

// fields reads a message.
func fields(m []byte) (list []field, err error) {
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		if n <= 0 {
			return nil, fmt.Errorf("no field in % x", m)
		}
		m = m[n:]
		size := map[uint64]int{1: 8, 5: 4}[key&7]
		switch key & 7 {
		case 0:
			_, size = binary.Uvarint(m)
		case 2:
			length, n := binary.Uvarint(m)
			if n <= 0 || length > uint64(len(m)) {
				return nil, fmt.Errorf("field %d has no length", key>>3)
			}
			m, size = m[n:], int(length)
		}
		if size <= 0 && key&7 != 2 || size > len(m) {
			return nil, fmt.Errorf("field %d of type %d: %d bytes of %d", key>>3, key&7, size, len(m))
		}
		list = append(list, field{key >> 3, m[:size]})
		m = m[size:]
	}
	return list, nil
}
