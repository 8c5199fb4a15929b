package run

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn/state"
)

// model is a tensor that tells checkpoints apart.
func model(x float32) []state.Named {
	return []state.Named{{Name: "x", DType: state.F32, Shape: []int{1}, Float32s: []float32{x}}}
}

// withCheckpoints is a run folder with checkpoints after these steps.
func withCheckpoints(t *testing.T, steps ...int) string {
	t.Helper()
	name := "a[1]*?" // what filepath.Glob would take for a pattern
	if runtime.GOOS == "windows" {
		name = "a[1]" // other signs have no place in names there
	}
	dir := filepath.Join(t.TempDir(), name)
	if err := Prepare(dir); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if err := WriteCheckpoint(dir, step, map[string]string{"counters": "{}"}, model(float32(step)), state.WriteFileAtomic); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// damage changes the last bit of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	b := mustRead(t, path)
	b[len(b)-1] ^= 1
	mustWrite(t, path, b)
}

func paths(dir string, steps ...int) []string {
	var list []string
	for _, step := range steps {
		list = append(list, CheckpointPath(dir, step))
	}
	return list
}

func TestCheckpointNames(t *testing.T) {
	for name, want := range map[string]int{
		CheckpointName(0): 0, CheckpointName(123): 123, CheckpointName(1_999_999_999): 1_999_999_999, "step-5.safetensors": 5, "a/b/step-000000007.safetensors": 7,
		"step-.safetensors": 0, "step-x.safetensors": 0, "step--1.safetensors": 0, "step-99999999999999999999.safetensors": 0, "best.safetensors": 0,
	} {
		if got := StepOf(name); got != want {
			t.Errorf("StepOf(%q) = %d, want %d", name, got, want)
		}
	}
	if got := CheckpointName(123); got != "step-000000123.safetensors" {
		t.Error(got)
	}
}

// TestCheckpoints lists and prunes them, and leaves alone what somebody else put there.
func TestCheckpoints(t *testing.T) {
	if list, err := Checkpoints(t.TempDir()); list != nil || err != nil {
		t.Errorf("without checkpoints: %v, error %v", list, err)
	}
	dir := withCheckpoints(t, 1_000_000_000, 20, 5, 999_999_999, 10)
	others := []string{"step-000000030 (copy).safetensors", "step-x.safetensors", "step-000000040.safetensors.bak", "notes.txt"}
	for _, name := range others {
		mustWrite(t, filepath.Join(dir, CheckpointDir, name), nil)
	}
	if err := os.Mkdir(filepath.Join(dir, CheckpointDir, "step-000000050.safetensors"), 0o777); err != nil {
		t.Fatal(err)
	}
	check := func(want ...int) {
		t.Helper()
		list, err := Checkpoints(dir)
		if diff := cmp.Diff(paths(dir, want...), list); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
	check(5, 10, 20, 999_999_999, 1_000_000_000)
	for _, c := range []struct {
		keep, step int
		want       []int
	}{
		{9, 1_000_000_000, []int{5, 10, 20, 999_999_999, 1_000_000_000}},
		{4, 1_000_000_000, []int{10, 20, 999_999_999, 1_000_000_000}},
		{9, 20, []int{10, 20}},
		{1, 20, []int{20}},
		{0, 20, nil},
	} {
		if err := Prune(dir, c.keep, c.step); err != nil {
			t.Fatal(err)
		}
		check(c.want...)
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(dir, CheckpointDir, name)); err != nil {
			t.Error(err)
		}
	}
	file := t.TempDir()
	mustWrite(t, filepath.Join(file, CheckpointDir), nil)
	if list, err := Checkpoints(file); err == nil {
		t.Errorf("a file in place of the folder: %v", list)
	}
}

func TestOpenCheckpoint(t *testing.T) {
	dir := withCheckpoints(t, 5, 10, 20)
	open := func(want int, newer ...int) {
		t.Helper()
		f, damaged, err := OpenCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if x, err := f.Float32s("x"); f.Name() != CheckpointPath(dir, want) || err != nil || x[0] != float32(want) {
			t.Errorf("opened %s with %v, error %v; want that of step %d", f.Name(), x, err, want)
		}
		if len(damaged) != len(newer) {
			t.Fatalf("damaged: %v", damaged)
		}
		for i, step := range newer {
			if !wantError(damaged[i], CheckpointPath(dir, step)) {
				t.Errorf("damaged: %v, want that of step %d", damaged[i], step)
			}
		}
	}
	open(20)
	damage(t, CheckpointPath(dir, 20))
	open(10, 20)
	// Files of older versions have no checksum.
	err := state.WriteFileAtomic(CheckpointPath(dir, 30), func(w io.Writer) error { return state.WriteSafetensors(w, nil, model(30)) })
	if err != nil {
		t.Fatal(err)
	}
	open(30)
	mustWrite(t, CheckpointPath(dir, 30), nil)
	damage(t, CheckpointPath(dir, 10))
	open(5, 30, 20, 10)
	damage(t, CheckpointPath(dir, 5))
	if f, _, err := OpenCheckpoint(dir); !wantError(err, "no checkpoint can be read", CheckpointPath(dir, 30), "remove them all") {
		t.Errorf("all are damaged: %v, error %v", f, err)
	}
	if _, _, err := modelFile(dir, "m.safetensors"); !wantError(err, "no checkpoint can be read") {
		t.Errorf("all are damaged: model error %v", err)
	}
	if err := Prune(dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	if f, damaged, err := OpenCheckpoint(dir); f != nil || damaged != nil || err != nil {
		t.Errorf("without checkpoints: %v, %v, %v", f, damaged, err)
	}
}

// TestCheckpointFlips damages each bit of the newest checkpoint in turn.
func TestCheckpointFlips(t *testing.T) {
	dir := withCheckpoints(t, 5, 10)
	name := CheckpointPath(dir, 10)
	every := 8*7 + 3 // nn/state tries them all; this is about the way there
	flips(mustRead(t, name), func(bit int, text []byte) {
		if bit%every != 0 {
			return
		}
		mustWrite(t, name, text)
		f, damaged, err := OpenCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if StepOf(f.Name()) != 5 || len(damaged) != 1 {
			t.Errorf("bit %d of byte %d: opened %s, damaged %v", bit%8, bit/8, f.Name(), damaged)
		}
	})
}

// modelFile is the path of the file that OpenModel opens.
func modelFile(path string, finishedNames ...string) (file string, damaged []error, err error) {
	f, damaged, err := OpenModel(path, finishedNames...)
	if err != nil {
		return "", damaged, err
	}
	return f.Name(), damaged, f.Close()
}

func TestModelFile(t *testing.T) {
	dir := withCheckpoints(t, 5, 10)
	find := func(path, want string, damaged int, names ...string) {
		t.Helper()
		got, list, err := modelFile(path, names...)
		if got != want || len(list) != damaged || err != nil {
			t.Errorf("%s: found %s, damaged %v, error %v; want %s", path, got, list, err, want)
		}
	}
	find(dir, CheckpointPath(dir, 10), 0, "m.safetensors")
	damage(t, CheckpointPath(dir, 10))
	find(dir, CheckpointPath(dir, 5), 1, "m.safetensors")
	find(dir, CheckpointPath(dir, 5), 1)

	finished := filepath.Join(dir, "m.safetensors")
	if Finished(dir, "m.safetensors") {
		t.Error("finished before there is a model")
	}
	if err := state.WriteFileAtomic(finished, func(w io.Writer) error { return state.WriteChecked(w, nil, model(1)) }); err != nil {
		t.Fatal(err)
	}
	if !Finished(dir, "m.safetensors") {
		t.Error("not finished")
	}
	find(dir, finished, 0, "m.safetensors")
	find(dir, finished, 0, "other.safetensors", "m.safetensors")
	find(dir, CheckpointPath(dir, 5), 1, "other.safetensors")
	if got, _, err := modelFile(finished); err == nil { // a file is no run folder
		t.Errorf("found %s", got)
	}

	damage(t, finished)
	if got, _, err := modelFile(dir, "m.safetensors"); !errors.Is(err, state.ErrDamaged) || !wantError(err, finished) {
		t.Errorf("with a damaged model: found %s, error %v", got, err)
	}
	empty := t.TempDir()
	if got, _, err := modelFile(empty, "m.safetensors"); !wantError(err, empty+": holds neither", "m.safetensors", "checkpoint") {
		t.Errorf("in an empty folder: %s, error %v", got, err)
	}
	if got, _, err := modelFile(filepath.Join(empty, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %s, error %v", got, err)
	}
}

func TestCheckpointOnAFullDisk(t *testing.T) {
	dir := withCheckpoints(t, 5)
	before := mustRead(t, CheckpointPath(dir, 5))
	for _, step := range []int{5, 10} {
		if err := WriteCheckpoint(dir, step, nil, model(9), full); !errors.Is(err, syscall.ENOSPC) || !wantError(err, CheckpointPath(dir, step)) {
			t.Errorf("step %d: error %v", step, err)
		}
	}
	list, err := Checkpoints(dir)
	if diff := cmp.Diff(paths(dir, 5), list); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if diff := cmp.Diff(before, mustRead(t, CheckpointPath(dir, 5))); diff != "" {
		t.Error("the checkpoint changed")
	}
	files, err := os.ReadDir(filepath.Join(dir, CheckpointDir))
	if len(files) != 1 || err != nil {
		t.Errorf("files %v, error %v", files, err)
	}
}
