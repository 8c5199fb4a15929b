package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Fit says which tensors of a model are loaded into which parameters of a network.
type Fit struct {
	// Report lists the parameters that are loaded. With a Transfer, Missing are the parameters that keep their initial values, and
	// Unexpected the tensors that are not used.
	Report state.Report

	model *Model
	fills []fill
}

// fill is a parameter and the tensor that is loaded into it.
type fill struct {
	param  *nn.Param
	tensor *Tensor
	change *change // nil where the tensor is loaded as it is
}

// Transfer says in what a network may differ from the model whose weights it starts with.
type Transfer struct {
	fresh    []string // prefixes of parameters that keep their initial values where the model does not have them
	leftOver []string // prefixes of tensors that need not be used
	tables   bool     // tables of relative positions begin at 0 where the model has none at all
}

var (
	// ToClassifier initialises a classifier from a model for another task, as the authors' run_class_finetuning.py does. A head of another
	// shape is not loaded.
	ToClassifier = &Transfer{
		tables:   true,
		fresh:    []string{"head.", "fc_norm.", "norm."},
		leftOver: []string{"mask_token", "norm.", "fc_norm.", "lm_head.", "cls_pt_", "head.", clipProjection},
	}
	// ToSegmenter initialises a segmenter from an image encoder under the names of a segmenter's backbone, as the authors' code for segmentation
	// does, or from a segmenter.
	ToSegmenter = &Transfer{
		tables: true,
		fresh:  []string{"backbone.fpn", "decode_head.", "auxiliary_head."},
		leftOver: []string{
			"backbone.mask_token", "backbone.norm.", "backbone.fc_norm.", "backbone.lm_head.", "backbone.cls_pt_", "backbone.head.", "backbone.fpn", "decode_head.",
			"auxiliary_head.",
		},
	}
	// ToMIM initialises the blocks of a model for masked image modelling from an image encoder. Its mask token, its heads and its relative
	// positions are new.
	ToMIM = &Transfer{
		fresh: []string{"mask_token", "lm_head.", "cls_pt_", "rel_pos_bias."},
	}
)

// hasPrefix reports whether a name has one of the prefixes.
func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// sharedTable is the name of the table of relative positions that a block with a table of that name takes, where its model has one for all blocks.
func sharedTable(name string) (string, bool) {
	for _, prefix := range []string{"", "backbone."} {
		if strings.HasPrefix(name, prefix+"blocks.") && strings.HasSuffix(name, tableName) {
			return prefix + "rel_pos_bias." + tableName, true
		}
	}
	return "", false
}

// Fit matches the parameters of a network with the model's tensors. The network need not be built yet. Relative position bias tables and
// learned positions may have another size; they will be resized. Into another network, a patch embedding of three channels also goes where another number
// of channels is seen. A shared table is used for every block that has its own.
// If to is nil, every parameter must have its tensor and every tensor its parameter. Else they may differ in the parts that to names.
func (m *Model) Fit(params []*nn.Param, to *Transfer) (*Fit, error) {
	f := &Fit{model: m}
	r := &f.Report
	r.Dropped = m.LeftOut
	used := map[string]bool{}
	for _, p := range params {
		name := p.Name
		t := m.tensors[name]
		if shared, ok := sharedTable(name); t == nil && ok {
			name = shared
			t = m.tensors[name]
		}
		switch {
		case t == nil:
			r.Missing = append(r.Missing, p.Name)
			continue
		case to != nil && strings.HasPrefix(name, "head.") && !p.Shape.Equal(t.Shape):
			r.Missing = append(r.Missing, p.Name)
			continue
		}
		used[name] = true
		shapes, as := state.Mismatch{Name: p.Name, Want: slices.Clone(p.Shape), Got: slices.Clone(t.Shape)}, (*change)(nil)
		if c, ok := m.changes(p, t.Shape, to != nil); ok {
			r.Resized, as = append(r.Resized, shapes), &c
		} else if !p.Shape.Equal(t.Shape) {
			r.Mismatched = append(r.Mismatched, shapes)
			continue
		}
		f.fills = append(f.fills, fill{p, t, as})
		r.Loaded = append(r.Loaded, p.Name)
	}
	for _, name := range m.Names() {
		if !used[name] && !strings.HasSuffix(name, batchesName) {
			r.Unexpected = append(r.Unexpected, name)
		}
	}
	if err := f.check(to); err != nil {
		return nil, fmt.Errorf("%s: %w", m.file.Name(), err)
	}
	return f, nil
}

// check returns the error of the report without the parts that may differ.
func (f *Fit) check(to *Transfer) error {
	r := f.Report
	if to != nil {
		without := func(names, parts []string) []string {
			return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return hasPrefix(n, parts) })
		}
		r.Missing, r.Unexpected = without(r.Missing, to.fresh), without(r.Unexpected, to.leftOver)
		if to.tables && !f.model.hasTables() {
			r.Missing = slices.DeleteFunc(r.Missing, func(n string) bool { return strings.HasSuffix(n, tableName) })
		}
	}
	return r.Err()
}

// hasTables reports whether a model has tables of relative positions.
func (m *Model) hasTables() bool {
	return slices.ContainsFunc(m.Names(), func(n string) bool { return strings.HasSuffix(n, tableName) })
}

// Load loads the parameters, which must be built. Values that are not finite are an error. A shared table is resized once for each block
// that uses it, like the authors' copies.
func (f *Fit) Load() error {
	var reader state.TensorReader
	for _, l := range f.fills {
		err := f.model.floats(&reader, l.tensor, func(values []float32) error {
			if l.change != nil {
				values = l.change.resized(l.param, l.tensor.Shape, values)
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

// Build builds set, the network of the parameters that Fit got, on dev for inference and loads it. Only parameters without a tensor are
// initialised. After an error the set has no storage.
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

// Build declares the model's network, builds it on dev for inference and loads it strictly. It returns the network as Declare does.
func (m *Model) Build(dev *tensor.Device) (network any, set *nn.Set, err error) {
	from, to := m, (*Transfer)(nil)
	if m.Kind == Segmenter && m.Segmenter.Head == "" {
		to = ToClassifier
		if from, err = m.Backbone(); err != nil {
			return nil, nil, err
		}
	}
	set = nn.NewSet()
	network = m.Declare(set.Scope())
	fit, err := from.Fit(set.Params(), to)
	if err != nil {
		return nil, nil, err
	}
	if r := fit.Report.Resized; len(r) > 0 {
		return nil, nil, fmt.Errorf("%s: positions have two sizes: %s has shape %v, but the others imply %v", m.file.Name(), r[0].Name, r[0].Got, r[0].Want)
	}
	if err := fit.Build(dev, set); err != nil {
		return nil, nil, err
	}
	return network, set, nil
}
