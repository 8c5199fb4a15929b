package tokenizer

import (
	"encoding/json"
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// Tensors of a checkpoint.
const (
	tensorWindow = method.PrefixTrain + "window"
	tensorCounts = method.PrefixTrain + "reseed.counts"
	tensorRing   = method.PrefixTrain + "reseed.ring"
)

// savedCounts are the numbers of a checkpoint.
type savedCounts struct {
	counts
	Next int `json:"next"` // of the window
	Seen int `json:"seen"` // batches, of the reseeder
}

// State is the window of codes and what the reseeder gathered.
func (t *task) State() ([]state.Named, json.RawMessage) {
	list := []state.Named{{Name: tensorWindow, DType: state.I32, Shape: []int{len(t.recent.Codes)}, Int32s: t.recent.Codes}}
	saved := savedCounts{counts: t.count, Next: t.recent.Next}
	if s := t.reseeder; s != nil {
		saved.Seen = s.Seen
		list = append(list, nn.Named(tensorCounts, s.Counts))
		if s.Ring != nil {
			list = append(list, nn.Named(tensorRing, s.Ring))
		}
	}
	text, err := json.Marshal(saved)
	if err != nil {
		panic(err) // numbers only
	}
	return list, text
}

// Restore takes what State saved.
func (t *task) Restore(f *state.File, text json.RawMessage, step int) error {
	var saved savedCounts
	if err := json.Unmarshal(text, &saved); err != nil {
		return fmt.Errorf("tokenizer's counters: %w", err)
	}
	codes, err := f.Int64s(tensorWindow)
	if err != nil {
		return err
	}
	for _, c := range codes {
		if c < 0 || c >= int64(t.model.Config.Codes) {
			return fmt.Errorf("tensor %s: code %d of %d", tensorWindow, c, t.model.Config.Codes)
		}
		t.recent.Codes = append(t.recent.Codes, int32(c))
	}
	if saved.Next < 0 || saved.Next >= beit.WindowTokens || len(codes) > beit.WindowTokens {
		return fmt.Errorf("tensor %s: %d codes, the next at %d, of %d", tensorWindow, len(codes), saved.Next, beit.WindowTokens)
	}
	t.count, t.recent.Next = saved.counts, saved.Next
	if t.reseeder == nil {
		return nil
	}
	return t.restoreReseeder(f, saved.Seen, step)
}

func (t *task) restoreReseeder(f *state.File, seen, step int) error {
	if there := step * t.Config.Train.AccumulationSteps; seen != there {
		return fmt.Errorf("tokenizer's counters: %d batches for re-seeding, and there were %d", seen, there)
	}
	counts, err := f.Float32s(tensorCounts)
	if err != nil {
		return err
	}
	var ring []float32
	if _, has := f.Entry(tensorRing); has {
		if ring, err = f.Float32s(tensorRing); err != nil {
			return err
		}
	}
	want := 0
	if seen > 0 {
		want = t.reseeder.RingSize(t.Loader.BatchSize())
	}
	if len(counts) != t.model.Config.Codes || len(ring) != want {
		return fmt.Errorf("tensors %s and %s: %d and %d numbers, the run needs %d and %d", tensorCounts, tensorRing, len(counts), len(ring),
			t.model.Config.Codes, want)
	}
	t.reseeder.Restore(counts, ring, seen)
	return nil
}
