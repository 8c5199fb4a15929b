package run

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

const (
	checkpointStart = "step-"
	checkpointEnd   = ".safetensors"
)

// CheckpointName is the file name of the checkpoint after a number of steps.
func CheckpointName(step int) string {
	return fmt.Sprintf("%s%09d%s", checkpointStart, step, checkpointEnd)
}

// CheckpointPath is the path of that checkpoint in the run folder dir.
func CheckpointPath(dir string, step int) string {
	return filepath.Join(dir, CheckpointDir, CheckpointName(step))
}

// StepOf is the number of steps in the name or path of a checkpoint, or 0 when the name has none.
func StepOf(name string) int {
	step, _ := parseName(filepath.Base(name))
	return step
}

// parseName reads the number of steps in a checkpoint's name.
func parseName(name string) (step int, ok bool) {
	digits, start := strings.CutPrefix(name, checkpointStart)
	digits, end := strings.CutSuffix(digits, checkpointEnd)
	if !start || !end || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	step, err := strconv.Atoi(digits)
	if err != nil { // too large, which leaves the largest number
		return 0, false
	}
	return step, true
}

// Checkpoints lists the paths of the checkpoints in a run folder, the oldest first. It leaves out files with other names.
func Checkpoints(dir string) ([]string, error) {
	folder := filepath.Join(dir, CheckpointDir)
	files, err := regular.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	var list []string
	for _, f := range files {
		if _, ok := parseName(f.Name()); ok && !f.IsDir() {
			list = append(list, filepath.Join(folder, f.Name()))
		}
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(StepOf(a), StepOf(b)), strings.Compare(a, b)) })
	return list, nil
}

// WriteCheckpoint writes the checkpoint after a number of steps, with a checksum. Prune removes older ones.
func WriteCheckpoint(dir string, step int, meta map[string]string, tensors []state.Named, write WriteFunc) error {
	return write(CheckpointPath(dir, step), func(w io.Writer) error { return state.WriteChecked(w, meta, tensors) })
}

// Prune removes all checkpoints but the newest keep. It also removes those of later steps than step: they are damaged, and the run went on
// from one before them. What is in use stays for the next time.
func Prune(dir string, keep, step int) error {
	list, err := Checkpoints(dir)
	if err != nil {
		return err
	}
	kept := 0
	for _, name := range slices.Backward(list) {
		if kept < keep && StepOf(name) <= step {
			kept++
			continue
		}
		if err := os.Remove(name); err != nil && !regular.InUse(err) {
			return fmt.Errorf("old checkpoint: %w", err)
		}
	}
	return nil
}

// ErrNoModel is wrapped by the error of OpenModel for a folder that has nothing of a model, not even damaged.
var ErrNoModel = errors.New("neither a finished model")

// errNoCheckpoint is wrapped when all checkpoints are damaged.
var errNoCheckpoint = errors.New("no checkpoint can be read")

// OpenCheckpoint opens the newest checkpoint that is intact: it can be read, and its checksum, if it has one, matches. f is nil when there are
// no checkpoints. damaged names the newer ones that are not intact. When none is intact, the error names the newest.
func OpenCheckpoint(dir string) (f *state.File, damaged []error, err error) {
	f, damaged, err = newest(dir)
	if errors.Is(err, errNoCheckpoint) {
		err = fmt.Errorf("%w; remove them all to start from the run's beginning", err)
	}
	return f, damaged, err
}

// newest is OpenCheckpoint with a shorter error.
func newest(dir string) (f *state.File, damaged []error, err error) {
	list, err := Checkpoints(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Backward(list) {
		f, err := state.OpenVerified(name)
		if err == nil {
			return f, damaged, nil
		}
		damaged = append(damaged, err)
	}
	if len(damaged) > 0 {
		return nil, nil, fmt.Errorf("%w: %w", errNoCheckpoint, damaged[0])
	}
	return nil, nil, nil
}

// OpenModel opens the model of a run folder and compares its checksum. It opens the first of the finished models that exists, or the newest
// intact checkpoint when none does.
//
// damaged names newer checkpoints that are not intact. A damaged finished model is an error.
func OpenModel(dir string, finishedNames ...string) (f *state.File, damaged []error, err error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	for _, name := range finishedNames {
		if Finished(dir, name) {
			f, err = state.OpenVerified(filepath.Join(dir, name))
			return f, nil, err
		}
	}
	f, damaged, err = newest(dir)
	if err == nil && f == nil {
		err = fmt.Errorf("%s: holds %w (%s) nor a checkpoint", dir, ErrNoModel, strings.Join(finishedNames, ", "))
	}
	return f, damaged, err
}
