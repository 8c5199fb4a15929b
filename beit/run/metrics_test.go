package run

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

func TestMetricsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadMetrics(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without metrics: error %v", err)
	}
	want := someRecords()
	writeMetrics(t, dir, want...)
	got, err := ReadMetrics(dir)
	if diff := diffRecords(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// Of a damaged file the lines that are whole can be read, and the others are told.
func TestReadIntactMetrics(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := ReadIntactMetrics(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without metrics: error %v", err)
	}
	text := writeMetrics(t, dir, someRecords()...)
	mustWrite(t, filepath.Join(dir, MetricsFile), bytes.Replace(text, []byte(`"epoch":`), []byte(`"epoch":9`), 1))
	got, damaged, err := ReadIntactMetrics(dir)
	if diff := diffRecords(someRecords()[1:], got); diff != "" || err != nil || len(damaged) != 1 || !strings.Contains(damaged[0].Error(), "line 1") {
		t.Errorf("%v, damaged %v, %s", err, damaged, diff)
	}
	if _, err := ReadMetrics(dir); err == nil {
		t.Error("ReadMetrics accepts a damaged line")
	}
}

// A record without a time gets the present one.
func TestAppendStampsTime(t *testing.T) {
	dir := t.TempDir()
	before := time.Now().Truncate(time.Millisecond)
	writeMetrics(t, dir, Record{Kind: KindStep})
	got, err := ReadMetrics(dir)
	if err != nil || len(got) != 1 || got[0].Time.Before(before) || got[0].Time.After(time.Now()) {
		t.Errorf("%+v, error %v", got, err)
	}
}

const oldLines = `{"epoch":1,"kind":"step","loss":2.5,"step":2}` + "\n" + `{"epoch":1,"kind":"step","loss":2.25,"step":4}` + "\n"

// TestMetricsOfOldRuns: lines without a checksum are accepted at the beginning, and nowhere else.
func TestMetricsOfOldRuns(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, MetricsFile)
	rest := writeMetrics(t, dir, someRecords()[2:]...)
	mustWrite(t, name, append([]byte(oldLines), rest...))
	got, err := ReadMetrics(dir)
	want := append([]Record{
		{Kind: KindStep, Epoch: 1, Step: 2, Values: map[string]float64{"loss": 2.5}}, {Kind: KindStep, Epoch: 1, Step: 4, Values: map[string]float64{"loss": 2.25}},
	}, someRecords()[2:]...)
	if diff := diffRecords(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	mustWrite(t, name, append(rest, oldLines...))
	if _, err := ReadMetrics(dir); !wantError(err, name+": line 4: ", "no checksum") {
		t.Errorf("old lines after new ones: error %v", err)
	}
}

// TestMetricsFlips damages each bit of a file in turn.
func TestMetricsFlips(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, MetricsFile)
	want := someRecords()
	var texts []string
	for _, rec := range want {
		texts = append(texts, string(mustJSON(rec)))
	}
	flips(writeMetrics(t, dir, want...), func(bit int, text []byte) {
		got, damaged := all(name, text)
		rest := texts // of the records that were written, those that may come next
		for _, rec := range got {
			i := slices.Index(rest, string(mustJSON(rec)))
			if i < 0 {
				t.Fatalf("bit %d of byte %d: there was no record %+v", bit%8, bit/8, rec)
			}
			rest = rest[i+1:]
		}
		_, err := parseMetrics(name, text)
		if len(damaged) == 0 {
			if len(got) != len(want) || err != nil {
				t.Errorf("bit %d of byte %d: %d of %d records and no damage, error %v", bit%8, bit/8, len(got), len(want), err)
			}
		} else if len(got) < len(want)-2 || !wantError(damaged[0], name, "line") || err == nil || err.Error() != damaged[0].Error() {
			t.Errorf("bit %d of byte %d: %d of %d records, damaged %v, error %v", bit%8, bit/8, len(got), len(want), damaged, err)
		}
	})
}

// all is what OpenMetrics finds when nothing is cut off.
func all(name string, text []byte) (known []Record, damaged []error) {
	_, known, damaged = cutBack(name, text, math.MaxInt, math.MaxInt)
	return known, damaged
}

// TestMetricsCutShort: of any beginning of a file, the whole lines are read and the rest is left out.
func TestMetricsCutShort(t *testing.T) {
	want := someRecords()
	text := writeMetrics(t, t.TempDir(), want...)
	for n := range text {
		whole := bytes.Count(text[:n], []byte("\n"))
		got, err := parseMetrics("m", text[:n])
		if diff := diffRecords(want[:whole], got); diff != "" || err != nil {
			t.Fatalf("%d bytes: error %v, -want +got\n%s", n, err, diff)
		}
	}
}

// TestOpenMetrics cuts a file back, as a run does that goes on from a checkpoint.
func TestOpenMetrics(t *testing.T) {
	line := func(kind string, epoch, step int) string {
		object, err := Record{Kind: kind, Epoch: epoch, Step: step, Time: noon}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return string(seal(object)) + "\n"
	}
	// Two steps in an epoch, a record after each.
	whole := line("step", 1, 1) + line("step", 1, 2) + line("epoch", 1, 2) + line("val", 1, 2) + line("step", 2, 3) + line("step", 2, 4) + line("epoch", 2, 4)
	const torn = `{"kind":"st`
	for _, c := range []struct {
		name         string
		text         string
		step, closed int
		want         string
		damaged      []string
	}{
		{"nothing", "", 2, 1, "", nil},
		{"all", whole, 4, 2, whole, nil},
		{"from the beginning", whole + "damaged\n", 0, 0, "", nil},
		{"in an epoch", whole, 3, 1, whole[:len(whole)-len(line("step", 2, 4)+line("epoch", 2, 4))], nil},
		{"before the checkpoint that closes an epoch", whole, 4, 1, whole[:len(whole)-len(line("epoch", 2, 4))], nil},
		{"before the checkpoint that closes the first", whole, 2, 0, line("step", 1, 1) + line("step", 1, 2), nil},
		{"cut short", line("step", 1, 1) + torn, 4, 2, line("step", 1, 1), nil},
		{"whole but for its line break", line("step", 1, 1) + line("step", 1, 2)[:len(line("step", 1, 2))-1], 4, 2, line("step", 1, 1), nil},
		{"another byte for the line break", line("step", 1, 1) + line("step", 1, 2)[:len(line("step", 1, 2))-1] + "\x0b", 4, 2, line("step", 1, 1), []string{"line 2: damaged: another byte"}},
		{"a line that cannot be read", torn + "\n" + whole, 3, 1, whole[:len(whole)-len(line("step", 2, 4)+line("epoch", 2, 4))], []string{"line 1: "}},
		{"two of them", line("step", 1, 1) + "\n" + torn + "\n" + line("step", 1, 2), 4, 2, line("step", 1, 1) + line("step", 1, 2), []string{"line 2: ", "line 3: "}},
		{"an old line after a damaged new one", line("step", 1, 1)[1:] + oldLines + line("step", 1, 5), 5, 1, line("step", 1, 5), []string{"line 1: ", "line 2: damaged: it has no checksum", "line 3: damaged: it has no checksum"}},
		{"damage after the cut", line("step", 1, 1) + line("step", 1, 3) + torn + "\n", 2, 1, line("step", 1, 1), nil},
		{"old lines", oldLines + line("step", 1, 5) + oldLines, 5, 1, oldLines + line("step", 1, 5), []string{"line 4: damaged: it has no checksum", "line 5: damaged: it has no checksum"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, MetricsFile)
			if c.text != "" {
				mustWrite(t, name, []byte(c.text))
			}
			m, known, damaged, err := OpenMetrics(dir, c.step, c.closed, state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(mustRead(t, name))); diff != "" {
				t.Error(diff)
			}
			for i, want := range c.damaged {
				if i >= len(damaged) || !wantError(damaged[i], name+": "+want) {
					t.Fatalf("damaged %v, want %q", damaged, c.damaged)
				}
			}
			if len(damaged) != len(c.damaged) {
				t.Errorf("damaged %v, want %q", damaged, c.damaged)
			}
			if got, err := ReadMetrics(dir); err != nil || diffRecords(known, got) != "" {
				t.Errorf("known are %v; the file has %v, error %v", known, got, err)
			}
			if err := errors.Join(m.Append(Record{Kind: KindStep, Epoch: 9, Step: 9}), m.Close()); err != nil {
				t.Error(err)
			}
			if got, err := ReadMetrics(dir); err != nil || len(got) != len(known)+1 || got[len(known)].Step != 9 {
				t.Errorf("after one more record: %v, error %v", got, err)
			}
		})
	}
}

func TestMetricsOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	text := writeMetrics(t, dir, someRecords()...)
	if _, _, _, err := OpenMetrics(dir, 2, 0, full); !errors.Is(err, syscall.ENOSPC) || !wantError(err, filepath.Join(dir, MetricsFile)) {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(string(text), string(mustRead(t, filepath.Join(dir, MetricsFile)))); diff != "" {
		t.Errorf("the file changed:\n%s", diff)
	}
	if m, _, _, err := OpenMetrics(filepath.Join(dir, "absent"), 0, 0, state.WriteFileAtomic); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v, error %v", m, err)
	}
}

// almostFull is a file on a disk that has room for a number of bytes.
type almostFull struct {
	*os.File
	room int
}

func (f *almostFull) Write(b []byte) (int, error) {
	if len(b) <= f.room {
		f.room -= len(b)
		return f.File.Write(b)
	}
	n, _ := f.File.Write(b[:f.room])
	f.room = 0
	return n, &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
}

// TestAppendToAFullDisk: of a record that does not fit nothing stays, whatever its place.
func TestAppendToAFullDisk(t *testing.T) {
	dir := t.TempDir()
	want := someRecords()
	size := len(writeMetrics(t, dir, want[:2]...))
	for room := 0; room < size; room += 3 {
		m, _, _, err := OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
		if err != nil {
			t.Fatal(err)
		}
		disk := &almostFull{m.file.(*os.File), room}
		m.file = disk
		written := 0
		for _, rec := range want[:2] {
			if err := m.Append(rec); err == nil {
				written++
			} else if !errors.Is(err, syscall.ENOSPC) || !wantError(err, dir) {
				t.Fatalf("room for %d bytes: error %v", room, err)
			}
		}
		disk.room = 1 << 20
		if err := errors.Join(m.Append(want[4]), m.Close()); err != nil {
			t.Fatal(err)
		}
		got, err := ReadMetrics(dir)
		if diff := diffRecords(append(want[:written:written], want[4]), got); diff != "" || err != nil || written == 2 {
			t.Fatalf("room for %d bytes: %d written, error %v, -want +got\n%s", room, written, err, diff)
		}
	}
}

// The real thing, where there is one.
func TestAppendToDevFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Skipf("%s has no /dev/full", runtime.GOOS)
	}
	defer f.Close()
	if err := (&Metrics{file: f}).Append(someRecords()[0]); !regular.DiskFull(err) || !wantError(err, "/dev/full") {
		t.Errorf("error %v", err)
	}
}

// FuzzMetricsFile reads any file. What is left of it after cutting back has no damage.
func FuzzMetricsFile(f *testing.F) {
	text := writeMetrics(f, f.TempDir(), someRecords()...)
	f.Add(text, 5, 1)
	f.Add(append([]byte(oldLines), text...), 4, 0)
	f.Add(append(text, oldLines...), 9, 9)
	f.Add(append(text[:60:60], text...), 4, 0)
	f.Add(append(text[:len(text)-1:len(text)-1], 0), 4, 1)
	f.Add(fmt.Appendf(nil, "\n\r\n%s\x00", oldLines), 4, 1)
	f.Fuzz(func(t *testing.T, text []byte, step, closed int) {
		kept, known, damaged := cutBack("m", text, step, closed)
		again, same, more := cutBack("m", kept, step, closed)
		if !bytes.Equal(kept, again) || diffRecords(known, same) != "" || more != nil {
			t.Errorf("cut back to\n%s\nand then to\n%s\ndamaged %v, then %v", kept, again, damaged, more)
		}
		for _, rec := range known {
			if rec.Step > step || rec.Kind != KindStep && rec.Epoch > closed {
				t.Errorf("%+v is known after %d steps and %d epochs", rec, step, closed)
			}
		}
	})
}
