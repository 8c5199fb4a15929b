package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Fit is how a model's tensors fill a network's parameters.
type Fit struct {
	// Report says what is filled. Where a classifier was to start from the model (transfer), Missing are the parameters that keep
	// their initial values and Unexpected the tensors that it has no use for.
	Report state.Report

	model *Model
	fills []fill
}

type fill struct {
	param  *nn.Param
	tensor *Tensor
}

// Parts of a classifier that a model of another purpose lacks, and what such a model has beside a classifier's.
var (
	fresh    = []string{"head.", "fc_norm.", "norm."}
	leftOver = []string{"mask_token", "norm.", "fc_norm.", "lm_head.", "cls_pt_", "head.", clipProjection}
)

func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// Fit matches the parameters of a network, which need not be built yet, with the model's tensors. Tables of relative positions and learned
// positions may have another size; they will be resized. A shared table serves blocks that have their own. Otherwise every parameter must have
// its tensor and every tensor its parameter, unless transfer is set: then a classifier may start from a model for another task, as in the
// authors' run_class_finetuning.py: a head of another shape is not taken, and parts that only one of the two has do not matter.
func (m *Model) Fit(params []*nn.Param, transfer bool) (*Fit, error) {
	f := &Fit{model: m}
	r := &f.Report
	r.Dropped = m.LeftOut
	used := map[string]bool{}
	for _, p := range params {
		name := p.Name
		t := m.tensors[name]
		if t == nil && strings.HasPrefix(name, "blocks.") && strings.HasSuffix(name, tableName) {
			name = "rel_pos_bias." + tableName
			t = m.tensors[name]
		}
		switch {
		case t == nil:
			r.Missing = append(r.Missing, p.Name)
			continue
		case transfer && strings.HasPrefix(name, "head.") && !p.Shape.Equal(t.Shape):
			r.Missing = append(r.Missing, p.Name)
			continue
		}
		used[name] = true
		if change := (state.Mismatch{Name: p.Name, Want: slices.Clone(p.Shape), Got: slices.Clone(t.Shape)}); resizes(p, t.Shape) {
			r.Resized = append(r.Resized, change)
		} else if !p.Shape.Equal(t.Shape) {
			r.Mismatched = append(r.Mismatched, change)
			continue
		}
		f.fills = append(f.fills, fill{p, t})
		r.Loaded = append(r.Loaded, p.Name)
	}
	for _, name := range m.Names() {
		if !used[name] {
			r.Unexpected = append(r.Unexpected, name)
		}
	}
	if err := f.verdict(transfer); err != nil {
		return nil, fmt.Errorf("%s: %w", m.file.Name(), err)
	}
	return f, nil
}

// verdict is the report's, without what does not matter to a transfer.
func (f *Fit) verdict(transfer bool) error {
	r := f.Report
	if transfer {
		without := func(names, parts []string) []string {
			return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return hasPrefix(n, parts) })
		}
		r.Missing, r.Unexpected = without(r.Missing, fresh), without(r.Unexpected, leftOver)
	}
	return r.Err()
}

// Load fills the parameters, which must be built by now. Values that are infinite or no numbers are an error. A shared table that several
// blocks take is resized once for each, like the authors' copies.
func (f *Fit) Load() error {
	var lender state.TensorReader
	for _, l := range f.fills {
		err := f.model.floats(&lender, l.tensor, func(values []float32) error {
			if !l.param.Shape.Equal(l.tensor.Shape) {
				values = resized(l.param, l.tensor.Shape, values)
			}
			l.param.Value.Upload(values)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Build builds set, whose parameters the Fit was made for, on dev for inference and loads it. Only what is not loaded is drawn.
// After an error the set has no storage.
func (f *Fit) Build(dev *tensor.Device, set *nn.Set) error {
	for _, l := range f.fills {
		l.param.Given = true
	}
	set.Build(dev, 0, nn.Inference)
	if err := f.Load(); err != nil {
		set.Release()
		return err
	}
	return nil
}

// Build declares the model's network, builds it on dev for inference and loads it, strictly. It returns what Declare does.
func (m *Model) Build(dev *tensor.Device) (network any, set *nn.Set, err error) {
	from, transfer := m, m.Kind == Segmenter
	if transfer {
		if from, err = m.Backbone(); err != nil {
			return nil, nil, err
		}
	}
	set = nn.NewSet()
	network = m.Declare(set.Scope())
	fit, err := from.Fit(set.Params(), transfer)
	if err != nil {
		return nil, nil, err
	}
	if r := fit.Report.Resized; len(r) > 0 {
		return nil, nil, fmt.Errorf("%s: positions are of two sizes: %s has shape %v, and others mean %v", m.file.Name(), r[0].Name, r[0].Got, r[0].Want)
	}
	if err := fit.Build(dev, set); err != nil {
		return nil, nil, err
	}
	return network, set, nil
}
