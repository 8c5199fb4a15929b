package infer

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
)

// Class is what a classifier thinks of one class for one picture.
type Class struct {
	Index       int     `json:"index"` // of the output
	Name        string  `json:"name"`  // its number where the file has no names
	Probability float32 `json:"probability"`
}

// Classifier tells classes of pictures apart.
type Classifier struct {
	network
	model beit.Classifier
	names []string
}

// OpenClassifier opens classifier.safetensors or best.safetensors, the run folder that holds them, or a published classifier.
func OpenClassifier(path string, opt Options) (*Classifier, error) {
	m, err := train.LoadClassifier(opt.device(), path)
	if err != nil {
		return nil, fmt.Errorf("open classifier: %w", err)
	}
	c := &Classifier{model: m.Model, names: m.Names, network: network{
		path: m.Path, config: m.Config, set: m.Set, pipeline: m.Pipeline(), size: m.Config.Finetune.Model.ImageSize,
	}}
	if c.names == nil {
		for i := range m.Config.Finetune.Model.Classes {
			c.names = append(c.names, strconv.Itoa(i))
		}
	}
	return c, nil
}

// Names are the names of the classes in the order of the outputs.
func (c *Classifier) Names() []string { return slices.Clone(c.names) }

// Classify returns all classes for a picture, the most probable first.
func (c *Classifier) Classify(picture image.Image) ([]Class, error) {
	list, err := c.ClassifyBatch([]image.Image{picture})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ClassifyBatch is Classify for pictures, in their order. It fails when one of them is nil or empty.
func (c *Classifier) ClassifyBatch(pictures []image.Image) ([][]Class, error) {
	return encodeBatch(&c.network, pictures, c.classify)
}

// ClassifyDataset yields the classes of the pictures of ds in their order, reading ahead. See Item for pictures that cannot be read.
func (c *Classifier) ClassifyDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[[]Class], error] {
	return over(ctx, &c.network, ds, skipped, c.classify)
}

// classify returns the classes of images [B, 3, S, S], normalised as the network wants them.
func (c *Classifier) classify(ctx nn.Context, images *autograd.Var) ([][]Class, error) {
	p := autograd.Softmax(c.model.Logits(ctx, images)).Value().Float32s()
	var list [][]Class
	for row := range slices.Chunk(p, len(c.names)) {
		classes := make([]Class, len(row))
		for i, v := range row {
			if math.IsNaN(float64(v)) {
				return nil, fmt.Errorf("%s: gives probabilities that are not numbers: its weights are damaged, or its training diverged", c.path)
			}
			classes[i] = Class{i, c.names[i], v}
		}
		slices.SortStableFunc(classes, func(a, b Class) int { return cmp.Compare(b.Probability, a.Probability) })
		list = append(list, classes)
	}
	return list, nil
}
