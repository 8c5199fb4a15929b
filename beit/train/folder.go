package train

import (
	"bytes"
	"encoding/json"
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
)

// Names in a run folder.
const (
	configFile    = "config.toml"
	metricsFile   = "metrics.jsonl"
	checkpointDir = "checkpoints"
	lockFile      = ".lock" // empty; who trains in the folder has it locked
)

// Tensors and metadata of a checkpoint besides the model's.
const (
	tensorM      = prefixTrain + "adamw.m" // laid out as the set's flat storage
	tensorV      = prefixTrain + "adamw.v"
	metaCounters = "counters"
)

// counters are the state of a run besides its tensors.
type counters struct {
	Step     int             `json:"step"`             // updates done
	Closed   int             `json:"closed"`           // epochs whose records are written
	AdamW    int             `json:"adamw"`            // updates that the optimizer counted
	Data     string          `json:"data"`             // fingerprint of the pictures
	Source   string          `json:"source,omitempty"` // fingerprint of the finished model that the run learns from; empty: none
	Interval means           `json:"interval"`
	Epoch    means           `json:"epoch"`
	Task     json.RawMessage `json:"task"`
}

// checkpoints lists the checkpoints of a run folder, oldest first.
func checkpoints(dir string) ([]string, error) {
	list, err := filepath.Glob(filepath.Join(escape(dir), checkpointDir, "step-*.safetensors"))
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	slices.Sort(list)
	return list, nil
}

// stepOf is the number of updates in the name of a checkpoint; 0 where it has none.
func stepOf(name string) int {
	digits, _ := strings.CutPrefix(filepath.Base(name), "step-")
	n, _ := strconv.Atoi(strings.TrimSuffix(digits, ".safetensors"))
	return n
}

// escape guards a folder's name against filepath.Glob.
func escape(dir string) string {
	var b bytes.Buffer
	for _, c := range []byte(dir) {
		if bytes.IndexByte([]byte(`*?[\`), c) >= 0 && filepath.Separator != '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// claim keeps other runs out of a folder, which is made where there is none, until the file that it returns is closed. The lock ends with
// the process that has it; the file stays.
func claim(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	if !lock(f) {
		f.Close()
		return nil, fmt.Errorf("a run is under way in %s: wait until it ends or choose another folder", dir)
	}
	return f, nil
}

// saveConfig writes config.toml.
func (r *run) saveConfig() error {
	return r.write(filepath.Join(r.dir, configFile), func(w io.Writer) error {
		_, err := io.WriteString(w, r.cfg.TOML())
		return err
	})
}

// checkpoint writes the state of the run and removes all but the newest checkpoints.
func (r *run) checkpoint() error {
	if err := r.settle(); err != nil {
		return err
	}
	if err := r.metrics.Sync(); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	list, task := r.task.save()
	r.at.Task, r.at.AdamW = task, r.opt.Count
	text, err := json.Marshal(r.at)
	if err != nil {
		return fmt.Errorf("checkpoint: counters: %w", err)
	}
	list = append(list, tensors(r.task.set().Params())...)
	list = append(list, named(tensorM, r.opt.M), named(tensorV, r.opt.V))
	meta := r.meta()
	meta[metaCounters] = string(text)
	name := filepath.Join(r.dir, checkpointDir, fmt.Sprintf("step-%09d.safetensors", r.at.Step))
	if err := r.write(name, func(w io.Writer) error { return state.WriteSafetensors(w, meta, list) }); err != nil {
		return err
	}
	return r.prune()
}

// prune removes all but the newest checkpoints, and those of later updates: the run went on from one before them, as they are damaged.
func (r *run) prune() error {
	list, err := checkpoints(r.dir)
	if err != nil {
		return err
	}
	kept := 0
	for _, name := range slices.Backward(list) {
		if kept < r.cfg.Log.Keep && stepOf(name) <= r.at.Step {
			kept++
			continue
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("old checkpoint: %w", err)
		}
	}
	return nil
}

// openCheckpoint opens the newest checkpoint that can be read, nil when there is none. Others are named in damaged.
func openCheckpoint(dir string) (f *state.File, damaged []error, err error) {
	list, err := checkpoints(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Backward(list) {
		f, err := state.OpenSafetensors(name)
		if err == nil {
			return f, damaged, nil
		}
		damaged = append(damaged, err)
	}
	if len(damaged) > 0 {
		return nil, nil, fmt.Errorf("no checkpoint can be read: %w; remove them all to start from the run's beginning", damaged[0])
	}
	return nil, nil, nil
}

// restore continues from a checkpoint of a run with the same pictures and the same source.
func (r *run) restore(f *state.File) error {
	var at counters
	if err := json.Unmarshal([]byte(f.Metadata()[metaCounters]), &at); err != nil {
		return damagedCheckpoint(fmt.Errorf("%s: counters: %w", f.Name(), err))
	}
	if at.Data != r.at.Data {
		return fmt.Errorf("%s: the run was begun with %s, and now there are %s", f.Name(), at.Data, r.at.Data)
	}
	if at.Source != "" && at.Source != r.at.Source {
		return fmt.Errorf("%s: the run was begun with another %s than the one there is now: its weights differ", f.Name(), r.cfg.Stage.sourceName())
	}
	if err := r.load(f, at); err != nil {
		return damagedCheckpoint(err)
	}
	return nil
}

func damagedCheckpoint(err error) error {
	return fmt.Errorf("%w; remove this file to go on from the checkpoint before it", err)
}

// load takes state and counters from a checkpoint.
func (r *run) load(f *state.File, at counters) error {
	if err := r.checkCounters(&at); err != nil {
		return fmt.Errorf("%s: counters: %w", f.Name(), err)
	}
	if err := loadSet(r.task.set(), f, prefixTrain); err != nil {
		return err
	}
	m, err := f.Float32s(tensorM)
	if err != nil {
		return err
	}
	v, err := f.Float32s(tensorV)
	if err != nil {
		return err
	}
	if len(m) != r.opt.M.Size() || len(v) != r.opt.V.Size() {
		return fmt.Errorf("%s: moments of %d and %d numbers, the model needs %d", f.Name(), len(m), len(v), r.opt.M.Size())
	}
	r.opt.M.Upload(m)
	r.opt.V.Upload(v)
	r.opt.Count = at.AdamW
	r.at = at
	if err := r.task.restore(f, at.Task); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

// checkCounters refuses what no run counts, and makes means that a checkpoint does not have empty ones.
func (r *run) checkCounters(at *counters) error {
	epochs := r.cfg.Train.Epochs
	if at.Closed < 0 || at.Closed > epochs || at.Step < at.Closed*r.perEpoch || at.Step > min(at.Closed+1, epochs)*r.perEpoch {
		return fmt.Errorf("update %d after %d of %d epochs of %d updates", at.Step, at.Closed, epochs, r.perEpoch)
	}
	if at.AdamW != at.Step { // an update that was skipped ends the run
		return fmt.Errorf("the optimizer did %d of %d updates", at.AdamW, at.Step)
	}
	for _, m := range []*means{&at.Interval, &at.Epoch} {
		if *m == nil {
			*m = means{}
		}
		for name, x := range *m {
			if x == nil {
				return fmt.Errorf("there is no mean of %s", name)
			}
		}
	}
	return nil
}

// openMetrics opens metrics.jsonl, and with it the events, for new lines, cut back to what was known after r.at.Step updates. A last line that a crash cut
// short goes too; other lines that cannot be read are left out with a warning.
func (r *run) openMetrics() error {
	name := filepath.Join(r.dir, metricsFile)
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("metrics: %w", err)
	}
	var kept bytes.Buffer
	var known []Record
	number := 0
	for line := range bytes.Lines(old) {
		var rec Record
		number++
		if !bytes.HasSuffix(line, []byte("\n")) || r.at.Step == 0 {
			break
		}
		if err := json.Unmarshal(line, &rec); err != nil {
			r.env.Reporter.Warning(fmt.Sprintf("left out a damaged line: %s: line %d: %v", name, number, err))
			continue
		}
		if rec.Step > r.at.Step || rec.Kind != KindStep && rec.Epoch > r.at.Closed { // an epoch is open until its checkpoint is written
			break
		}
		kept.Write(line)
		known = append(known, rec)
	}
	err = r.write(name, func(w io.Writer) error {
		_, err := w.Write(kept.Bytes())
		return err
	})
	if err != nil {
		return err
	}
	if r.metrics, err = os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0o666); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return r.openEvents(known)
}

// record appends a line to the metrics and reports it.
func (r *run) record(rec Record) error {
	line, err := json.Marshal(rec)
	if err == nil {
		_, err = r.metrics.Write(append(line, '\n'))
	}
	if err == nil {
		_, err = r.events.Write(frame(nil, rec.event()))
	}
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	r.env.Reporter.Record(rec)
	return nil
}
