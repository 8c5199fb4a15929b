package optim

import (
	"fmt"
	"io"
	"strconv"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// metaSteps is the key of the number of steps in the metadata of a file.
const metaSteps = "steps"

// moment is a part of an optimizer's state, laid out as set.Values(). Its name is PyTorch's.
type moment struct {
	name string
	flat *tensor.Tensor
}

// Save writes the moments of every parameter and the number of steps to a safetensors file with a checksum. A file at path is replaced as a
// whole or not at all. The parameters are saved by nn.Set.Save.
func (o *AdamW) Save(path string) error { return save(path, o.set, o.Count, o.moments()) }

// Load reads a file of Save for a set of the same parameters. If anything does not fit, the error names the file and the tensors, and nothing
// was changed.
func (o *AdamW) Load(path string) error { return load(path, o.set, &o.Count, o.moments()) }

func (o *AdamW) moments() []moment { return []moment{{"exp_avg", o.M}, {"exp_avg_sq", o.V}} }

// Save writes the momentum of every parameter and the number of steps, as AdamW.Save does.
func (o *SGD) Save(path string) error { return save(path, o.set, o.Count, o.moments()) }

// Load reads a file of Save, as AdamW.Load does.
func (o *SGD) Load(path string) error { return load(path, o.set, &o.Count, o.moments()) }

func (o *SGD) moments() []moment { return []moment{{"momentum_buffer", o.Buffer}} }

// of returns the view that belongs to a parameter, and its name in files.
func (m moment) of(p *nn.Param) (string, *tensor.Tensor) {
	at := p.Value.Offset()
	return m.name + "." + p.Name, m.flat.Slice(0, at, at+p.Shape.Size()).Reshape(p.Shape...)
}

// save is Save for an optimizer with these moments.
func save(path string, set *nn.Set, steps int, moments []moment) error {
	mustTrain("Save", set)
	var list []state.Named
	for _, m := range moments {
		for _, p := range set.Flat() {
			list = append(list, nn.Named(m.of(p)))
		}
	}
	meta := map[string]string{metaSteps: strconv.Itoa(steps)}
	return state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteChecked(w, meta, list) })
}

// load is Load for an optimizer with these moments.
func load(path string, set *nn.Set, steps *int, moments []moment) error {
	mustTrain("Load", set)
	f, err := state.OpenVerified(path)
	if err != nil {
		return err
	}
	defer f.Close()
	count, err := strconv.Atoi(f.Metadata()[metaSteps])
	if err != nil || count < 0 {
		return fmt.Errorf("%s: %s is %q, want a number of steps", f.Name(), metaSteps, f.Metadata()[metaSteps])
	}
	var slots []state.Slot
	for _, m := range moments {
		for _, p := range set.Flat() {
			name, t := m.of(p)
			slots = append(slots, state.Slot{Name: name, Shape: p.Shape, Set: func(v []float32) error {
				t.Upload(v)
				return nil
			}})
		}
	}
	if _, err := state.Load(slots, f, nil); err != nil {
		return err
	}
	*steps = count
	return nil
}
