package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/run/events"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

// A run that died after the records of an epoch and before its checkpoint, and goes on from one that was left in the middle of the
// epoch's validation, has these records once.
func TestRecordsOfAnOpenEpoch(t *testing.T) {
	m := tokenizer.Method
	cfg, dir := tiny(t, m), newDir(t)
	whole := trained(t, m, cfg, Env{}).Dir
	stopIn(t, dir, m, cfg, "validate", 1)
	file, known, damaged, err := run.OpenMetrics(dir, 5, 1, state.WriteFileAtomic)
	if err != nil || len(damaged) > 0 || len(known) == 0 {
		t.Fatalf("%d records, damaged %v, error %v", len(known), damaged, err)
	}
	for kind, key := range map[string]string{run.KindEpoch: "loss", run.KindVal: "loss_reconstruction"} {
		if err := file.Append(run.Record{Kind: kind, Epoch: 1, Step: 5, Values: map[string]float64{key: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	mustResume(t, dir, Env{})
	sameRuns(t, "stopped between records and checkpoint", whole, dir, m)
}

// Every value in the records of every method is in its table of metrics, and no key is there twice.
func TestMetricsAreDescribed(t *testing.T) {
	tok := tokenizerRun(t)
	for _, m := range model.Methods() {
		known := map[string]bool{}
		for _, x := range m.AllMetrics() {
			if known[x.Key] || x.Label == "" {
				t.Errorf("%s: metric %+v", m.Name, x)
			}
			known[x.Key] = true
		}
		set := []string{"train.epochs=1"}
		switch m {
		case pretrain.Method:
			set = append(set, "pretrain.tokenizer="+tok)
		case finetune.Method:
			set = append(set, "finetune.ema=0.9")
		}
		heard := &traintest.Reporter{}
		res := trained(t, m, tiny(t, m, set...), Env{Reporter: heard})
		list := traintest.Metrics(t, res.Dir)
		for _, r := range list {
			for key := range r.Values {
				if !known[key] {
					t.Errorf("%s: the %s record has %s, which nothing describes", m.Name, r.Kind, key)
				}
			}
			if age := time.Since(r.Time); age < 0 || age > time.Minute {
				t.Errorf("%s: a record of %s", m.Name, r.Time)
			}
		}
		if d := cmp.Diff(len(list), len(heard.Records)); d != "" {
			t.Errorf("%s: records in the file and told (-file +told):\n%s", m.Name, d)
		}
	}
}

// eventScalar is one value of one event.
type eventScalar struct {
	Step  uint64
	Tag   string
	Value float32
}

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
	dir := t.TempDir()
	w, err := events.Open(dir, []run.Record{{Step: 7, Kind: run.KindStep, Values: map[string]float64{"loss": 1.5}}}, nil, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	log, err := os.ReadFile(filepath.Join(dir, events.File))
	if err != nil {
		t.Fatal(err)
	}
	// The first bytes of every file that TensorFlow writes: a length of 24, its checksum, the field wall_time.
	if want := []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\x09"); !bytes.HasPrefix(log, want) {
		t.Errorf("begins with %q, want %q", log[:len(want)], want)
	}
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
	log, err := os.ReadFile(filepath.Join(dir, events.File))
	if err != nil {
		t.Fatal(err)
	}
	messages, err := tfRecords(log)
	if err != nil {
		t.Fatal(err)
	}
	for i, message := range messages {
		event, _ := fields(t, message)
		if wall := math.Float64frombits(binary.LittleEndian.Uint64(event[1])); wall < 1.7e9 {
			t.Errorf("an event of second %g", wall)
		}
		if i == 0 {
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

// The events are those of metrics.jsonl, also in a run that was stopped and resumed.
func TestEventsFollowMetrics(t *testing.T) {
	dir := newDir(t)
	stopIn(t, dir, tokenizer.Method, tiny(t, tokenizer.Method), "train", 3)
	mustResume(t, dir, Env{})
	want, got := map[eventScalar]bool{}, map[eventScalar]bool{}
	for _, r := range traintest.Metrics(t, dir) {
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

// status.json says what became of a run, and how far it is of how many steps.
func TestStatusOfRuns(t *testing.T) {
	m := tokenizer.Method
	cfg, dir := tiny(t, m), newDir(t)
	status := func() run.Status {
		t.Helper()
		s, err := run.ReadStatus(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(what string, got run.Status, state run.State, step, epoch int) {
		t.Helper()
		if got.State != state || got.Step != step || got.Total != 10 || got.Epoch != epoch || got.Epochs != 2 || got.PID != os.Getpid() ||
			time.Since(got.Began) > time.Minute || got.Updated.Before(got.Began) {
			t.Errorf("%s: %+v, want %s at step %d of 10 in epoch %d of 2", what, got, state, step, epoch)
		}
	}
	var first, second run.Status
	stopped(t, "train", 7, func(ctx context.Context, env Env) error {
		stop := env.Reporter.(*traintest.Reporter).OnProgress
		env.Reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
			stop(p)
			if p.Phase == "k-means" {
				first = status()
			}
		}}
		_, err := Run(ctx, dir, m, cfg, env)
		return err
	})
	want("before the first step", first, run.StateRunning, 0, 1)
	want("stopped", status(), run.StateInterrupted, 7, 2)
	mustResume(t, dir, Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
		if p.Done == 8 {
			second = status()
		}
	}}})
	want("resumed", second, run.StateRunning, 7, 2)
	want("at the end", status(), run.StateFinished, 10, 2)

	if _, err := resumed(dir, Env{}, "data.path=procedural:41"); err == nil { // refused before it begins
		t.Error("other images were taken")
	}
	want("after a refused resumption", status(), run.StateFinished, 10, 2)
}

// A run that fails says why.
func TestStatusOfFailure(t *testing.T) {
	dir := newDir(t)
	full := func(path string, write func(w io.Writer) error) error {
		if strings.Contains(path, run.CheckpointDir) {
			return errors.New("no room")
		}
		return state.WriteFileAtomic(path, write)
	}
	err := freshWith(t, dir, tokenizer.Method, tiny(t, tokenizer.Method), full)
	s, readErr := run.ReadStatus(dir)
	if err == nil || readErr != nil || s.State != run.StateFailed || s.Error != err.Error() || s.Step != 5 || s.Total != 10 {
		t.Errorf("status %+v, error %v, of a run that ended with %v", s, readErr, err)
	}
}

// Checkpoints are written when their time has come, besides those at the end of each epoch, and the result is the same.
func TestCheckpointByTime(t *testing.T) {
	m := tokenizer.Method
	whole := trained(t, m, tiny(t, m), Env{}).Dir
	steps := func(every string) (list []int) {
		dir := newDir(t)
		trainIn(t, dir, m, tiny(t, m, "log.keep=99", "log.checkpoint_every="+every), Env{})
		for _, name := range traintest.Checkpoints(t, dir) {
			list = append(list, run.StepOf(name))
		}
		if traintest.Contents(t, dir, m)["metrics"] != traintest.Contents(t, whole, m)["metrics"] {
			t.Errorf("every %s: other metrics", every)
		}
		return list
	}
	if got := steps("1ns"); !slices.Equal(got, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
		t.Errorf("a checkpoint whenever there is one to write: %v", got)
	}
	for _, every := range []string{"1h", "0s"} {
		if got := steps(every); !slices.Equal(got, []int{5, 10}) {
			t.Errorf("every %s: %v", every, got)
		}
	}
	// The clock starts anew with each of them.
	l := &loop{env: &method.Env{Config: tiny(t, m, "log.checkpoint_every=1h")}}
	for age, want := range map[time.Duration]bool{59 * time.Minute: false, 61 * time.Minute: true} {
		if l.saved = time.Now().Add(-age); l.checkpointDue() != want {
			t.Errorf("%s after the last: due %v", age, !want)
		}
	}
}
