package events

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

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
			return nil, fmt.Errorf("byte %d: checksum of the message is %08x, want %08x", at, got, want)
		}
		messages = append(messages, message)
		at += int(16 + n)
	}
	return messages, nil
}

// read turns a file into lines "time step tag value", after the version.
func read(log []byte) (lines []string, err error) {
	messages, err := tfRecords(log)
	if err != nil {
		return nil, err
	}
	for i, message := range messages {
		list, err := fields(message)
		if err != nil {
			return nil, err
		}
		var wall time.Time
		var step uint64
		for _, f := range list {
			switch f.number {
			case 1:
				seconds := math.Float64frombits(binary.LittleEndian.Uint64(f.value))
				wall = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
			case 2:
				step, _ = binary.Uvarint(f.value)
			case 3:
				if i != 0 || string(f.value) != "brain.Event:2" {
					return nil, fmt.Errorf("event %d has version %q", i, f.value)
				}
			case 5:
				values, err := fields(f.value)
				if err != nil {
					return nil, err
				}
				for _, v := range values {
					scalar, err := fields(v.value)
					if err != nil || len(scalar) != 2 || v.number != 1 || scalar[0].number != 1 || scalar[1].number != 2 {
						return nil, fmt.Errorf("event %d: a value of %v, error %v", i, scalar, err)
					}
					lines = append(lines, fmt.Sprintf("%s %d %s %v", wall.Format("15:04:05.000"), step, scalar[0].value,
						math.Float32frombits(binary.LittleEndian.Uint32(scalar[1].value))))
				}
			}
		}
	}
	return lines, nil
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 123e6, time.UTC)

func someRecords() []run.Record {
	return []run.Record{
		{Kind: run.KindStep, Epoch: 1, Step: 2, Time: noon, Values: map[string]float64{"lr": 0.5, "loss": 0.25}},
		{Kind: run.KindEpoch, Epoch: 1, Step: 300, Time: noon.Add(time.Second), Values: map[string]float64{"loss": math.NaN(), "norm": math.Inf(1)}},
		{Kind: run.KindVal, Epoch: 0, Step: 0, Time: noon.Add(2 * time.Second), Values: map[string]float64{"top1": 1e300}},
		{Kind: run.KindVal, Epoch: 1, Step: 300, Time: noon.Add(3 * time.Second)},
	}
}

// open writes a file with known records and more.
func open(t *testing.T, dir string, tag TagFunc, known, more []run.Record) []byte {
	t.Helper()
	w, err := Open(dir, known, tag, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range more {
		if err := w.Append(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// The first bytes of every file that TensorFlow writes: a length of 24, its checksum, the field wall_time.
func TestBeginsLikeTensorFlows(t *testing.T) {
	got := open(t, t.TempDir(), nil, nil, nil)
	if want := []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\x09"); !bytes.HasPrefix(got, want) || len(got) != 40 {
		t.Errorf("begins with %q, want %q", got[:len(want)], want)
	}
}

// Records have their own times, whether they were known or are new, and a file that is opened again has them once.
func TestRecords(t *testing.T) {
	dir := t.TempDir()
	want := []string{
		"12:00:00.123 2 step/loss 0.25", "12:00:00.123 2 step/lr 0.5", "12:00:01.123 300 epoch/loss NaN", "12:00:01.123 300 epoch/norm +Inf",
		"12:00:02.123 0 val/top1 +Inf",
	}
	list := someRecords()
	for known := range list {
		got, err := read(open(t, dir, nil, list[:known], list[known:]))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%d known: error %v, -want +got\n%s", known, err, diff)
		}
	}
	got, err := read(open(t, dir, func(kind, key string) string {
		if key == "loss" {
			return ""
		}
		return strings.ToUpper(kind + "." + key)
	}, list[:2], list[2:]))
	want = []string{"12:00:00.123 2 STEP.LR 0.5", "12:00:01.123 300 EPOCH.NORM +Inf", "12:00:02.123 0 VAL.TOP1 +Inf"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("with tags: error %v, -want +got\n%s", err, diff)
	}
}

// A record of an older run, which has no time, gets the present one.
func TestNoTime(t *testing.T) {
	before := time.Now()
	log := open(t, t.TempDir(), nil, []run.Record{{Kind: "step", Step: 1, Values: map[string]float64{"loss": 1}}}, nil)
	messages, err := tfRecords(log)
	if err != nil || len(messages) != 2 {
		t.Fatal(len(messages), err)
	}
	seconds := math.Float64frombits(binary.LittleEndian.Uint64(messages[1][1:]))
	if at := time.UnixMilli(int64(seconds * 1000)); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("time %v", at)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir, nil, someRecords(), nil)
	full := func(path string, write func(io.Writer) error) error {
		for room := range len(before) {
			if err := write(&limited{room}); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("room for %d bytes: error %v", room, err)
			}
		}
		return state.WriteFileAtomic(path, func(io.Writer) error { return syscall.ENOSPC })
	}
	if _, err := Open(dir, someRecords(), nil, full); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), filepath.Join(dir, File)) {
		t.Errorf("error %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, File)); !bytes.Equal(before, after) || err != nil {
		t.Errorf("the file changed; error %v", err)
	}
	w := &Writer{failing{}, DefaultTag}
	if err := w.Append(someRecords()[0]); !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "events: ") {
		t.Errorf("error %v", err)
	}
	w, err := Open(dir, nil, nil, func(string, func(io.Writer) error) error { return os.Remove(filepath.Join(dir, File)) })
	if err == nil {
		w.Close()
		t.Error("a file that is gone was opened")
	}
}

// limited is a disk with room for a number of bytes.
type limited struct{ room int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.room {
		return 0, syscall.ENOSPC
	}
	l.room -= len(b)
	return len(b), nil
}

type failing struct{ io.WriteCloser }

func (failing) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
