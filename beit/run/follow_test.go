package run

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// read is Read of a file whose lines are intact.
func read(t *testing.T, f *Follower) (list []Record, restarted bool) {
	t.Helper()
	lines, restarted, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if line.Err != nil {
			t.Error(line.Err)
		}
		list = append(list, line.Record)
	}
	return list, restarted
}

// A file that is replaced by one of the same length has other records, and is read from its beginning.
func TestFollowerOfAReplacedFile(t *testing.T) {
	dir := t.TempDir()
	f := NewFollower(dir)
	if got, restarted := read(t, f); got != nil || restarted {
		t.Errorf("of no file: %v, restarted %v", got, restarted)
	}
	for step := range 3 {
		want := Record{KindStep, 1, step, noon, nil}
		writeMetrics(t, dir, want)
		got, restarted := read(t, f)
		if diff := diffRecords([]Record{want}, got); diff != "" || restarted != (step > 0) {
			t.Errorf("step %d: restarted %v %s", step, restarted, diff)
		}
		if got, restarted := read(t, f); got != nil || restarted {
			t.Errorf("again: %v, restarted %v", got, restarted)
		}
	}
	if err := os.Remove(filepath.Join(dir, MetricsFile)); err != nil {
		t.Fatal(err)
	}
	if got, restarted := read(t, f); got != nil || restarted {
		t.Errorf("of a removed file: %v, restarted %v", got, restarted)
	}
}

// A large file comes in parts, each line once, and a line that does not end is an error.
func TestFollowerReadsParts(t *testing.T) {
	dir := t.TempDir()
	var text bytes.Buffer
	const steps = 3000
	for step := range steps {
		fmt.Fprintf(&text, `{"epoch":1,"kind":"step","note":"%s","step":%d}`+"\n", strings.Repeat("x", 1000), step)
	}
	name := filepath.Join(dir, MetricsFile)
	mustWrite(t, name, text.Bytes())
	f := NewFollower(dir)
	calls, n := 0, 0
	for {
		list, _ := read(t, f)
		if len(list) == 0 {
			break
		}
		calls++
		for _, rec := range list {
			if rec.Step != n {
				t.Fatalf("step %d in place of %d", rec.Step, n)
			}
			n++
		}
	}
	if want := (text.Len() + followBytes - 1) / followBytes; n != steps || calls < want {
		t.Errorf("%d records in %d calls, want %d in %d", n, calls, steps, want)
	}
	mustWrite(t, name, append(text.Bytes(), bytes.Repeat([]byte("x"), followBytes)...))
	if list, _, err := f.Read(); len(list) > 0 || !wantError(err, name, fmt.Sprintf("line %d: ", steps+1)) {
		t.Errorf("a line without an end: %d lines, error %v", len(list), err)
	}
}
