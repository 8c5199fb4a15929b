package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fields reads a message in protocol buffers' wire format: the last value of each number, and all messages with number 1.
func fields(t *testing.T, m []byte) (last map[uint64][]byte, list [][]byte) {
	t.Helper()
	last = map[uint64][]byte{}
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		m = m[n:]
		size := map[uint64]int{1: 8, 5: 4}[key&7]
		switch key & 7 {
		case 0:
			_, size = binary.Uvarint(m)
		case 2:
			length, n := binary.Uvarint(m)
			m, size = m[n:], int(length)
		}
		if size <= 0 || size > len(m) {
			t.Fatalf("field %d of type %d: %d bytes of %d", key>>3, key&7, size, len(m))
		}
		last[key>>3] = m[:size]
		if key>>3 == 1 {
			list = append(list, m[:size])
		}
		m = m[size:]
	}
	return last, list
}

// eventScalar is one value of one event.
type eventScalar struct {
	Step  uint64
	Tag   string
	Value float32
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

// tfRecords splits a file of TFRecords into its messages. Every length and checksum must be right.
func tfRecords(log []byte) (messages [][]byte, err error) {
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
			return nil, fmt.Errorf("byte %d: checksum of the record is %08x, want %08x", at, got, want)
		}
		messages = append(messages, message)
		at += 16 + int(n)
	}
	return messages, nil
}

// The reader of this test knows the published value, and finds any single bit that was turned and any byte that is missing.
func TestEventReaderIsStrict(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 {
		t.Fatalf("checksum of the digits is %08x", got)
	}
	record := Record{Step: 7, Kind: KindStep, Values: map[string]float64{"loss": 1.5}}
	log := frame(frame(nil, event(0, fileVersion("brain.Event:2"))), record.event())
	if list, err := tfRecords(log); err != nil || len(list) != 2 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	for bit := range 8 * len(log) {
		log[bit/8] ^= 1 << (bit % 8)
		if _, err := tfRecords(log); err == nil {
			t.Errorf("bit %d of byte %d was turned, and nobody noticed", bit%8, bit/8)
		}
		log[bit/8] ^= 1 << (bit % 8)
	}
	for n := range len(log) {
		if list, err := tfRecords(log[:n]); err == nil && len(list) != 0 && n != 40 {
			t.Errorf("%d of %d bytes: %d whole records", n, len(log), len(list))
		}
	}
}

// readEvents reads a run's events, checksums checked.
func readEvents(t *testing.T, dir string) (list []eventScalar) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, eventsFile))
	if err != nil {
		t.Fatal(err)
	}
	messages, err := tfRecords(log)
	if err != nil {
		t.Fatal(err)
	}
	for i, message := range messages {
		first := i == 0
		event, _ := fields(t, message)
		if wall := math.Float64frombits(binary.LittleEndian.Uint64(event[1])); wall < 1.7e9 {
			t.Errorf("an event of second %g", wall)
		}
		if first {
			if string(event[3]) != "brain.Event:2" {
				t.Errorf("the file begins with version %q", event[3])
			}
			continue
		}
		step, _ := binary.Uvarint(event[2])
		_, values := fields(t, event[5])
		for _, v := range values {
			value, _ := fields(t, v)
			list = append(list, eventScalar{step, string(value[1]), math.Float32frombits(binary.LittleEndian.Uint32(value[2]))})
		}
	}
	return list
}

// The first bytes of every file that TensorFlow writes: a length of 24, its checksum, the field wall_time.
func TestEventsBeginLikeTensorFlows(t *testing.T) {
	got := frame(nil, event(0, fileVersion("brain.Event:2")))
	if want := []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\x09"); !bytes.HasPrefix(got, want) || len(got) != 40 {
		t.Errorf("begins with %q, want %q", got[:len(want)], want)
	}
}

// The events are those of metrics.jsonl, also in a run that was stopped and resumed.
func TestEventsFollowMetrics(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cfg := tiny(t, Tokenizer)
	stopped(t, "train", 3, func(ctx context.Context, env Env) error {
		_, err := Run(ctx, dir, cfg, env)
		return err
	})
	if _, err := Resume(context.Background(), dir, Env{}, nil); err != nil {
		t.Fatal(err)
	}
	records, err := ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[eventScalar]bool{}, map[eventScalar]bool{}
	for _, r := range records {
		for k, v := range r.Values {
			want[eventScalar{uint64(r.Step), r.Kind + "/" + k, float32(v)}] = true
		}
	}
	list := readEvents(t, dir)
	for _, e := range list {
		got[e] = true
	}
	if diff := cmp.Diff(want, got); diff != "" || len(list) != len(want) || len(list) < 40 {
		t.Errorf("%d values, %d in metrics.jsonl (-) against events (+):\n%s", len(list), len(want), diff)
	}
}
