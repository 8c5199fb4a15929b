package train

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// A checkpoint holds all parameters and buffers of the task's set, the optimiser's two moments and the task's own state. Its metadata are the
// configuration, the model's card, the counters, and the names of the parameters in the order of the moments.
const (
	tensorM      = method.PrefixTrain + "adamw.m" // laid out as the set's flat storage
	tensorV      = method.PrefixTrain + "adamw.v"
	metaCounters = "counters"
	metaMoments  = "moments"
)

// counters are the state of a run besides its tensors.
type counters struct {
	Step     int             `json:"step"`             // steps done
	Closed   int             `json:"closed"`           // epochs whose records are written
	AdamW    int             `json:"adamw"`            // steps that the optimiser counted
	Data     string          `json:"data"`             // fingerprint of the images
	Train    data.Contents   `json:"train,omitzero"`   // of the training images
	Val      data.Contents   `json:"val,omitzero"`     // of the validation images
	Work     float64         `json:"work,omitempty"`   // floating-point operations of this process; 0 in runs begun before they were counted
	Source   string          `json:"source,omitempty"` // fingerprint of the finished model that the run learns from; empty: none
	Interval method.Means    `json:"interval"`
	Epoch    method.Means    `json:"epoch"`
	Task     json.RawMessage `json:"task"`
}

// checkpoint writes the state of the run and removes all but the newest checkpoints. All processes of a group call it, and rank 0 writes.
func (l *loop) checkpoint() error {
	if err := l.settle(); err != nil {
		return err
	}
	if c, ok := l.task.(method.Collective); ok && l.grouped() {
		if err := c.GatherState(); err != nil {
			return err
		}
	}
	if !l.leads() {
		l.saved = time.Now()
		return nil
	}
	if err := l.metrics.Sync(); err != nil {
		return err
	}
	l.countWork()
	l.at.Task, l.at.AdamW = json.RawMessage("{}"), l.opt.Count
	var list []state.Named
	if s, ok := l.task.(method.Stateful); ok {
		list, l.at.Task = s.State()
	}
	meta := l.meta()
	for key, value := range map[string]any{metaCounters: l.at, metaMoments: names(l.task.Set().Flat())} {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("checkpoint: %s: %w", key, err)
		}
		meta[key] = string(text)
	}
	list = append(list, nn.Tensors(l.task.Set().Params())...)
	list = append(list, nn.Named(tensorM, l.opt.M), nn.Named(tensorV, l.opt.V))
	if err := run.WriteCheckpoint(l.dir, l.at.Step, meta, list, l.write); err != nil {
		return err
	}
	l.saved = time.Now()
	l.status(run.StateRunning, nil)
	return run.Prune(l.dir, l.env.Config.Log.Keep, l.at.Step)
}

func names(params []*nn.Param) (list []string) {
	for _, p := range params {
		list = append(list, p.Name)
	}
	return list
}

// restore continues from a checkpoint of a run with the same images and the same upstream model.
func (l *loop) restore(f *state.File) error {
	var at counters
	if err := json.Unmarshal([]byte(f.Metadata()[metaCounters]), &at); err != nil {
		return damagedCheckpoint(fmt.Errorf("%s: counters: %w", f.Name(), err))
	}
	if at.Data = config.CurrentData(at.Data); at.Data != l.at.Data {
		return fmt.Errorf("%s: the run was begun with %s, and now there are %s", f.Name(), at.Data, l.at.Data)
	}
	l.tellChanges("training", at.Train, l.at.Train)
	l.tellChanges("validation", at.Val, l.at.Val)
	at.Train, at.Val = l.at.Train, l.at.Val
	if at.Source != "" && at.Source != l.at.Source {
		return fmt.Errorf("%s: the run was begun with another %s than the one there is now: its weights differ", f.Name(),
			cmp.Or(l.env.Method.FixedRole(l.env.Config, l.env.Upstream), "model"))
	}
	at.Source = l.at.Source // older checkpoints have none
	if err := l.load(f, at); err != nil {
		return damagedCheckpoint(err)
	}
	return nil
}

// tellChanges tells what differs between the images that a checkpoint was written with and those of now.
func (l *loop) tellChanges(part string, then, now data.Contents) {
	if what := now.Changed(then); what != "" {
		l.reporter.Warning(fmt.Sprintf("since the last checkpoint, the %s images changed (%s): the run goes on with what is there now", part, what))
	}
}

// counted are the counters of a checkpoint, nil for none, before it is checked; none where they cannot be read, which restore says.
func counted(f *state.File) (at counters) {
	if f == nil || json.Unmarshal([]byte(f.Metadata()[metaCounters]), &at) != nil {
		return counters{}
	}
	return at
}

func damagedCheckpoint(err error) error {
	return fmt.Errorf("%w; remove this file to go on from the checkpoint before it", err)
}

// load takes state and counters from a checkpoint.
func (l *loop) load(f *state.File, at counters) error {
	if err := l.checkCounters(&at); err != nil {
		return fmt.Errorf("%s: counters: %w", f.Name(), err)
	}
	if err := method.LoadParams(l.task.Set().Params(), f, method.PrefixTrain); err != nil {
		return err
	}
	if err := l.loadMoments(f); err != nil {
		return err
	}
	l.opt.Count = at.AdamW
	l.at = at
	l.follow()
	if s, ok := l.task.(method.Stateful); ok {
		if err := s.Restore(f, at.Task, at.Step); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return nil
}

// loadMoments takes the optimiser's moments. They are one flat tensor each: other parameters, or another order of them, would load too, so their
// names are compared. Checkpoints of older versions do not have them.
func (l *loop) loadMoments(f *state.File) error {
	if text := f.Metadata()[metaMoments]; text != "" {
		var had []string
		if err := json.Unmarshal([]byte(text), &had); err != nil {
			return fmt.Errorf("%s: names of the moments: %w", f.Name(), err)
		}
		if now := names(l.task.Set().Flat()); !slices.Equal(had, now) {
			return fmt.Errorf("%s: the moments are those of %d parameters in another order than the network's %d", f.Name(), len(had), len(now))
		}
	}
	m, err := f.Float32s(tensorM)
	if err != nil {
		return err
	}
	v, err := f.Float32s(tensorV)
	if err != nil {
		return err
	}
	if len(m) != l.opt.M.Size() || len(v) != l.opt.V.Size() {
		return fmt.Errorf("%s: moments of %d and %d numbers, the model needs %d", f.Name(), len(m), len(v), l.opt.M.Size())
	}
	l.opt.M.Upload(m)
	l.opt.V.Upload(v)
	return nil
}

// checkCounters refuses what no run counts, gives means their present names, and makes means that a checkpoint does not have empty ones.
func (l *loop) checkCounters(at *counters) error {
	epochs, perEpoch := l.env.Config.Train.Epochs, l.env.StepsPerEpoch
	if at.Closed < 0 || at.Closed > epochs || at.Step < at.Closed*perEpoch || at.Step > min(at.Closed+1, epochs)*perEpoch {
		return fmt.Errorf("step %d after %d of %d epochs of %d steps", at.Step, at.Closed, epochs, perEpoch)
	}
	if at.AdamW != at.Step { // a step that was skipped ends the run
		return fmt.Errorf("the optimiser did %d of %d steps", at.AdamW, at.Step)
	}
	for _, m := range []*method.Means{&at.Interval, &at.Epoch} {
		renamed := method.Means{}
		for name, x := range *m {
			if x == nil {
				return fmt.Errorf("there is no mean of %s", name)
			}
			renamed[run.CurrentMetric(name)] = x
		}
		*m = renamed
	}
	return nil
}
