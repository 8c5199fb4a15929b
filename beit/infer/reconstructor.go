package infer

import (
	"fmt"
	"image"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
)

// Reconstructor rebuilds masked patches, by a network that predicts their pixels: a masked autoencoder with its decoder. Many goroutines may use it
// at once.
type Reconstructor struct {
	encoder      *Encoder
	network      beit.Rebuilder
	standardised bool
	assumed      bool
	mask         func(image int) []bool
}

// Reconstruction is what a Reconstructor makes of an image.
type Reconstruction struct {
	Seen, Rebuilt *data.RGB // the image as the model gets it, and with predicted pixels in its masked patches
}

// OpenReconstructor opens the run folder of a masked autoencoder, its model, or a published one with a decoder.
func OpenReconstructor(path string, opt Options) (*Reconstructor, error) {
	return openKind(path, opt, func(m *model.Model, opt Options) (*Reconstructor, error) {
		if m.Method == nil || m.Method.Masking == nil || !m.Method.Masking(m.Config).Pixels {
			return nil, fmt.Errorf("open reconstructor: %s: holds a %s, which predicts no pixels of masked patches", m.Path, m.Kind)
		}
		e, err := newEncoder(m, opt)
		if err != nil {
			return nil, err
		}
		network, ok := e.model.(beit.Rebuilder)
		if !ok {
			e.Close()
			return nil, fmt.Errorf("open reconstructor: %s: has no decoder, which predicts the pixels", m.Path)
		}
		masking := m.Method.Masking(m.Config)
		return &Reconstructor{encoder: e, network: network, standardised: masking.Standardised, assumed: !m.Run, mask: masking.Of}, nil
	})
}

// Encoder is the same network for features. Closing it closes the Reconstructor.
func (r *Reconstructor) Encoder() *Encoder {
	if r == nil {
		return nil
	}
	return r.encoder
}

// Close waits for running calls and frees the model's memory. A second Close does nothing.
func (r *Reconstructor) Close() error {
	return r.Encoder().Close()
}

// Standardised says that the network predicts pixels relative to mean and deviation of their patch, which are then taken from the image.
func (r *Reconstructor) Standardised() bool { return r != nil && r.standardised }

// Assumed says that Standardised is what most published models are: a file that no run made does not tell.
func (r *Reconstructor) Assumed() bool { return r != nil && r.assumed }

// Raw is the same Reconstructor, whose network is taken to predict pixels as they are. It is for models of which Assumed is true.
func (r *Reconstructor) Raw() *Reconstructor {
	if r.Encoder() == nil {
		return nil
	}
	raw := *r
	raw.standardised = false
	return &raw
}

// Mask is the mask with which the model's run validates image i of its data set: a value for each patch, row by row.
func (r *Reconstructor) Mask(i int) []bool {
	if r.Encoder() == nil {
		return nil
	}
	return r.mask(i)
}

// Reconstruct rebuilds the masked patches of an image, Grid·Grid of the Encoder, row by row. At least one is masked, and one is not.
func (r *Reconstructor) Reconstruct(img image.Image, masked []bool) (Reconstruction, error) {
	if r.Encoder() == nil {
		return Reconstruction{}, errNotOpened
	}
	e, hidden := r.encoder, 0
	for _, on := range masked {
		if on {
			hidden++
		}
	}
	if n := e.Grid() * e.Grid(); len(masked) != n || hidden == 0 || hidden == n {
		return Reconstruction{}, fmt.Errorf("%s: %d of %d patches are masked: want a value for each of %d, one of them masked and one not", e.Path(), hidden, len(masked), n)
	}
	list, err := encodeBatch(e.net(), []image.Image{img}, func(c nn.Context, images *autograd.Var) ([]Reconstruction, error) {
		x := e.normalize(c, images)
		rebuilt := r.network.Rebuild(c, x, masked, r.standardised)
		defer rebuilt.Release()
		rgb := func(v []float32) *data.RGB { return data.FromFloat(v, e.ImageSize(), e.ImageSize(), e.norm) }
		return []Reconstruction{{Seen: rgb(x.Value().Float32s()), Rebuilt: rgb(rebuilt.Float32s())}}, nil
	})
	if err != nil {
		return Reconstruction{}, err
	}
	return list[0], nil
}
