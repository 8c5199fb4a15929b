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
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
)

// Class is the prediction of a classifier for one class of one image.
type Class struct {
	Index       int     `json:"index"` // index of the output
	Name        string  `json:"name"`  // the index if the file has no names
	Probability float32 `json:"probability"`
}

// Classifier predicts the class of images.
type Classifier struct {
	network
	model beit.Classifier
	names []string
}

// OpenClassifier opens classifier.safetensors or best.safetensors, a run folder with one of them, or a published classifier.
func OpenClassifier(path string, opt Options) (*Classifier, error) {
	return openKind(path, opt, newClassifier)
}

// newClassifier returns the classifier of an opened model.
func newClassifier(m *model.Model, opt Options) (*Classifier, error) {
	t, outputs, set, err := model.OpenClassifier(opt.device(), m)
	if err != nil {
		return nil, fmt.Errorf("open classifier: %w", err)
	}
	c := &Classifier{model: t, names: m.Classes}
	c.init(m, set, m.Input.Pipeline())
	if c.names == nil {
		for i := range outputs {
			c.names = append(c.names, strconv.Itoa(i))
		}
	}
	return c, nil
}

// Names returns the names of the classes in the order of the outputs.
func (c *Classifier) Names() []string {
	if c.net().opened() != nil {
		return nil
	}
	return slices.Clone(c.names)
}

// Grid is the number of patches along a side, or of their rows.
func (c *Classifier) Grid() int {
	if c.net().opened() != nil {
		return 0
	}
	return c.input.Grid
}

// Classify returns all classes for an image, the most probable first.
func (c *Classifier) Classify(img image.Image) ([]Class, error) {
	list, err := c.ClassifyBatch([]image.Image{img})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// ClassifyBatch is Classify for several images, in their order. It fails if one of them is nil or empty.
func (c *Classifier) ClassifyBatch(images []image.Image) ([][]Class, error) {
	return encodeBatch(c.net(), images, c.classify)
}

// ClassifyDataset yields the classes of the images of ds in their order, with read-ahead. See Item for unreadable images.
func (c *Classifier) ClassifyDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[[]Class], error] {
	return over(ctx, c.net(), ds, skipped, c.classify)
}

// classify returns the classes of normalised images [B, C, H, W].
func (c *Classifier) classify(ctx nn.Context, images *autograd.Var) ([][]Class, error) {
	p := autograd.Softmax(c.model.Logits(ctx, images)).Value().Float32s()
	var list [][]Class
	for row := range slices.Chunk(p, len(c.names)) {
		classes := make([]Class, len(row))
		for i, v := range row {
			if math.IsNaN(float64(v)) {
				return nil, fmt.Errorf("%s: probabilities are not finite: the weights are damaged, or the training diverged", c.path)
			}
			classes[i] = Class{i, c.names[i], v}
		}
		slices.SortStableFunc(classes, func(a, b Class) int { return cmp.Compare(b.Probability, a.Probability) })
		list = append(list, classes)
	}
	return list, nil
}
