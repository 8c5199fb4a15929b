package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// LoadParams fills parameters and buffers from a file, strictly, but for tensors whose names begin with one of the prefixes in skip.
func LoadParams(params []*nn.Param, f *state.File, skip ...string) error {
	_, err := state.Load(Slots(params), f, func(name string) (string, bool) {
		for _, prefix := range skip {
			if strings.HasPrefix(name, prefix) {
				return "", false
			}
		}
		return name, true
	})
	return err
}

// StartStrictly loads into t what a finished model of its method holds. Models of other methods are refused.
func StartStrictly(t Task, own *Method, m *Model) error {
	if m.Method == nil || m.Method.Name != own.Name {
		return fmt.Errorf("%s: holds a %s, wanted is a %s", m.Path, m.Kind, own.Title)
	}
	params := t.Finished()
	if !m.Run {
		fit, err := m.Fit(params)
		if err != nil {
			return err
		}
		return fit.Load()
	}
	skip := []string{PrefixTrain}
	for _, prefix := range m.Beside {
		if !slices.ContainsFunc(params, func(p *nn.Param) bool { return strings.HasPrefix(p.Name, prefix) }) {
			skip = append(skip, prefix)
		}
	}
	return LoadParams(params, m.File(), skip...)
}

// Slots are the places of parameters and buffers.
func Slots(params []*nn.Param) []state.Slot {
	var list []state.Slot
	for _, p := range params {
		list = append(list, state.Slot{Name: p.Name, Shape: p.Shape, Set: func(v []float32) error {
			p.Value.Upload(v)
			return nil
		}})
	}
	return list
}

// Tensors lists parameters and buffers for a file.
func Tensors(params []*nn.Param) []state.Named {
	var list []state.Named
	for _, p := range params {
		list = append(list, Named(p.Name, p.Value))
	}
	return list
}

// Named is a tensor for a file, which leaves its device in pieces when it is written.
func Named(name string, t *tensor.Tensor) state.Named {
	const most = 1 << 18
	return state.Named{Name: name, DType: state.F32, Shape: t.Shape(), Pieces: func(yield func([]float32) bool) {
		flat := t.Reshape(-1)
		room := make([]float32, min(most, flat.Size()))
		for lo := 0; lo < flat.Size(); lo += most {
			hi := min(lo+most, flat.Size())
			flat.Slice(0, lo, hi).CopyTo(room[:hi-lo])
			if !yield(room[:hi-lo]) {
				return
			}
		}
	}}
}
