package nn

import (
	"io"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Save writes all parameters and buffers under their names to a safetensors file with a checksum. A file at path is replaced at the end, as a
// whole or not at all. The set must be built.
func (s *Set) Save(path string) error {
	s.mustBeBuilt("Save")
	return state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteChecked(w, nil, Tensors(s.params)) })
}

// Load reads all parameters and buffers from a file of Save, or of any other format of state.Open. The set must be built. The file must have
// each of them in its shape, and nothing else: if not, the error names the file and the tensors, and nothing was changed. state.Load is for
// files that fit in part.
func (s *Set) Load(path string) error {
	s.mustBeBuilt("Load")
	f, err := state.OpenVerified(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = state.Load(Slots(s.params), f, nil)
	return err
}

// mustBeBuilt panics before Build.
func (s *Set) mustBeBuilt(op string) {
	if s == nil || s.dev == nil {
		panic(&tensor.Error{Op: op, Reason: "the set is nil or not built yet"})
	}
}

// Slots are the places of parameters and buffers, for state.Load.
func Slots(params []*Param) []state.Slot {
	var list []state.Slot
	for _, p := range params {
		p.mustBeBuilt()
		list = append(list, state.Slot{Name: p.Name, Shape: p.Shape, Set: func(v []float32) error {
			p.Value.Upload(v)
			return nil
		}})
	}
	return list
}

// Tensors lists parameters and buffers, for state.WriteSafetensors and WriteChecked.
func Tensors(params []*Param) []state.Named {
	var list []state.Named
	for _, p := range params {
		p.mustBeBuilt()
		list = append(list, Named(p.Name, p.Value))
	}
	return list
}

// Named is a contiguous Float32 tensor for a file. It leaves its device in pieces, when it is written.
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
