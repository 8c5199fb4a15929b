package train

import (
	"bytes"
	"context"
	"encoding/binary"
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

// readEvents reads a run's events, checksums checked.
func readEvents(t *testing.T, dir string) (list []eventScalar) {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, eventsFile))
	if err != nil {
		t.Fatal(err)
	}
	for first := true; len(log) > 0; first = false {
		n := binary.LittleEndian.Uint64(log)
		message := log[12 : 12+n]
		if binary.LittleEndian.Uint32(log[8:]) != masked(log[:8]) || binary.LittleEndian.Uint32(log[12+n:]) != masked(message) {
			t.Fatal("wrong checksum")
		}
		log = log[16+n:]
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
