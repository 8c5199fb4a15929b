package finetune

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Trained is a classifier that is ready for use.
type Trained struct {
	beit.Classifier
	Model *method.Model
	Set   *nn.Set
}

// Outputs is the number of the classifier's outputs.
func (t *Trained) Outputs() int { return SectionOf(t.Model.Config).Model.Classes }

// Build builds the classifier of an opened model: one of this method, or somebody else's that has a head. The caller releases its Set.
func Build(dev *tensor.Device, m *method.Model) (*Trained, error) {
	noHead := fmt.Errorf("%s: is no classifier: it has no head; 'beit finetune --init-from' makes one of it", m.Path)
	if m.Method == nil || m.Method.Name != name {
		return nil, noHead
	}
	a, err := architectureFrom(m)
	if err != nil {
		return nil, err
	}
	if _, ok := a.weights.Tensor("head.weight"); !ok || a.vit.Classes == 0 {
		return nil, noHead
	}
	if err := m.Config.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	t := &Trained{Model: m, Set: nn.NewSet()}
	t.Classifier = newNetwork(t.Set.Scope(), SectionOf(m.Config))
	fit, err := a.weights.Fit(t.Set.Params(), weights.ToClassifier)
	if err != nil {
		return nil, err
	}
	if r := fit.Report; len(r.Missing)+len(r.Unexpected) > 0 {
		return nil, fmt.Errorf("%s: missing are tensors for %s, and without a place in a classifier: %s", m.Path, method.Listed(r.Missing), method.Listed(r.Unexpected))
	}
	if err := fit.Build(dev, t.Set); err != nil {
		return nil, err
	}
	return t, nil
}
