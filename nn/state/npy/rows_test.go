package npy

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The bytes of a small array, written out.
func TestRowsBytes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.npy")
	out, err := CreateRows[int32](name, []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	for i, image := range []string{"a.png", "ü \"b\"\n.png", "c.png"} {
		if err := out.Add(image, []int32{int32(i), -2}); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{3, 1, 2}, out.Shape()); d != "" {
		t.Error(d)
	}
	dict := "{'descr': '<i4', 'fortran_order': False, 'shape': (3, 1, 2,), }"
	want := "\x93NUMPY\x01\x00\x76\x00" + dict + strings.Repeat(" ", 118-len(dict)-1) + "\n" +
		"\x00\x00\x00\x00\xfe\xff\xff\xff\x01\x00\x00\x00\xfe\xff\xff\xff\x02\x00\x00\x00\xfe\xff\xff\xff"
	if diff := cmp.Diff(want, string(content(t, name))); diff != "" {
		t.Error(diff)
	}
	list := content(t, NamesPath(name))
	if diff := cmp.Diff("[\n\"a.png\",\n\"ü \\\"b\\\"\\n.png\",\n\"c.png\"\n]\n", string(list)); diff != "" {
		t.Error(diff)
	}
	if head := encodeHeader("<f4", []int{math.MaxInt, math.MaxInt32, 1024}, rowsHeader); len(head) != rowsHeader || head[rowsHeader-1] != '\n' {
		t.Errorf("the largest header has %d bytes: %q", len(head), head)
	}
}

// What would not be a readable file is refused.
func TestRowsErrors(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.npy")
	if _, err := CreateRows[int32](name, make([]int, 60)); err == nil || !strings.Contains(err.Error(), "too many axes") {
		t.Errorf("60 axes: error %v", err)
	}
	out, err := CreateRows[int32](name, []int{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	if err := out.Add("a.png", make([]int32, 3)); err == nil || !strings.Contains(err.Error(), `row "a.png" has 3 numbers`) {
		t.Errorf("a short row: error %v", err)
	}
}

// findNumPy returns a function that runs a Python program, or skips the test where no Python has NumPy.
func findNumPy(t *testing.T) func(program string, args ...string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() != nil {
			continue
		}
		return func(program string, args ...string) string {
			out, err := exec.Command(python, append([]string{"-c", program}, args...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v: %s", python, err, out)
			}
			return string(out)
		}
	}
	t.Skip("no Python with NumPy here; TestRowsBytes has the bytes written out")
	return nil
}

// NumPy itself reads the array, where there is one.
func TestRowsByNumPy(t *testing.T) {
	python := findNumPy(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "a.npy")
	out, err := CreateRows[float32](name, []int{3})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Discard()
	for i := range 5 {
		if err := out.Add(fmt.Sprintf("%d.png", i), []float32{float32(i), 0.1, -3e-9}); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	got := python(`import sys, json, numpy
x = numpy.load(sys.argv[1], allow_pickle=False)
print(x.dtype, x.shape, x.flags['C_CONTIGUOUS'], repr(float(x[4, 1])), float(x.sum(axis=0)[0]), json.load(open(sys.argv[2]))[4])`,
		name, filepath.Join(dir, "a.names.json"))
	if want := "float32 (5, 3) True 0.10000000149011612 10.0 4.png\n"; got != want {
		t.Errorf("NumPy reads %q, want %q", got, want)
	}
}

// content is the content of a file.
func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
