package train

import (
	"context"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// MemoryError says that a run needs more memory than is free, and which settings need less.
type MemoryError struct {
	Of          string   // whose memory
	Needs, Free int64    // bytes
	Set         []string // assignments with which it fits; nil: there are none
	NeedsThen   int64    // bytes, with them
}

// Error says what fits.
func (e *MemoryError) Error() string { return e.Text(strings.Join(e.Set, " ")) }

// Text is Error with the settings in other words.
func (e *MemoryError) Text(settings string) string {
	text := fmt.Sprintf("the run needs %s of the %s's memory, and %s are free", GiB(e.Needs), e.Of, GiB(e.Free))
	if e.Set == nil {
		return text + ": a smaller preset, or smaller images, need less"
	}
	return fmt.Sprintf("%s: %s needs %s", text, settings, GiB(e.NeedsThen))
}

// GiB writes a number of bytes for people.
func GiB(bytes int64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}

// checkMemory estimates what the run needs, and refuses it where that is not free.
func (l *loop) checkMemory(ctx context.Context) (Memory, error) {
	mem, err := l.estimate(ctx, l.env.Config)
	if err != nil {
		return mem, err
	}
	short := l.short(&mem)
	if short == nil {
		return mem, nil
	}
	set, then, err := l.relief(ctx)
	if err != nil {
		return mem, err
	}
	if short.Set = set; set != nil {
		short.NeedsThen = then.Needs
	}
	return mem, short
}

// short says which memory is too small; nil where none is. It notes what is needed of the device's memory, and what is free.
func (l *loop) short(m *Memory) *MemoryError {
	free, known := l.env.Device.Available()
	m.Needs, m.Free = m.Peak(), free
	of := "device"
	if l.env.Device.IsCPU() {
		of, m.Needs = "machine", m.Peak()+m.Host()
	} else if host, ok := tensor.CPU().Available(); ok && m.Host() > host {
		return &MemoryError{Of: "machine", Needs: m.Host(), Free: host}
	}
	if known && m.Needs > free {
		return &MemoryError{Of: of, Needs: m.Needs, Free: free}
	}
	return nil
}

// reliefs are settings that save memory, those first that cost least. Gradient accumulation is tried with each. A resumed run may only have settings
// that it can change.
func (l *loop) reliefs() [][]string {
	const recompute, uncached, fewImages = "train.checkpoint_activations=true", "data.cache_mb=0", 16
	if l.resumed {
		return [][]string{{uncached}, {recompute}, {recompute, uncached}}
	}
	eval := fmt.Sprintf("data.eval.batch=%d", min(fewImages, l.env.Config.Data.Eval.Batch))
	return [][]string{nil, {eval}, {recompute}, {recompute, eval}, {recompute, eval, uncached}}
}

// relief finds settings with which the run fits into memory, and what it needs then; nil where none do.
func (l *loop) relief(ctx context.Context) (set []string, mem Memory, err error) {
	for _, set := range l.reliefs() {
		cfg := l.env.Config.Clone()
		for _, s := range set {
			if err := cfg.Set(s); err != nil {
				return nil, mem, err
			}
		}
		for _, n := range l.accumulations() {
			if cfg.Train.AccumulationSteps = n; cfg.Check() != nil {
				continue
			}
			if mem, err = l.estimate(ctx, cfg); err != nil {
				return nil, mem, err
			}
			if l.short(&mem) != nil {
				continue
			}
			if n != l.env.Config.Train.AccumulationSteps {
				set = append([]string{fmt.Sprintf("train.accumulation_steps=%d", n)}, set...)
			}
			return set, mem, nil
		}
	}
	return nil, mem, nil
}

// accumulations are the numbers of accumulation steps that the run may have, from its own up. Less memory does not always go with more steps: the
// pool keeps memory of one size for training, and of another one for validation.
func (l *loop) accumulations() (list []int) {
	t := l.env.Config.Train
	if l.resumed {
		return []int{t.AccumulationSteps}
	}
	for n := t.AccumulationSteps; n <= t.Batch; n++ {
		if t.Batch%n == 0 {
			list = append(list, n)
		}
	}
	return list
}
