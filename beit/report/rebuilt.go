package report

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// rebuilder is an image, of normalised pixels [3, S, S], with predicted pixels in its masked patches.
type rebuilder func(pixels []float32, mask []bool) *data.RGB

// openRebuilder builds the network of a model that predicts pixels. done releases it.
func openRebuilder(v View, m *model.Model, masking method.Masking) (rebuild rebuilder, done func(), err error) {
	dev := v.Device
	if dev == nil {
		dev = tensor.CPU()
	}
	network, set, err := m.Build(dev)
	if err != nil {
		return nil, nil, err
	}
	of, ok := network.(beit.Rebuilder)
	if !ok {
		set.Release()
		return nil, nil, fmt.Errorf("%s: has no decoder, which predicts the pixels", m.Path)
	}
	tape, size := autograd.NewTape(dev), m.Input.Size
	return func(pixels []float32, mask []bool) *data.RGB {
		defer tape.Reset()
		images := tape.Own(tensor.FromSlice(dev, pixels, 1, 3, size, size))
		rebuilt := tape.Own(of.Rebuild(nn.Context{Tape: tape}, images, mask, masking.Standardised))
		return data.FromFloat(rebuilt.Value().Float32s(), size, size, m.Input.Norm)
	}, set.Release, nil
}
