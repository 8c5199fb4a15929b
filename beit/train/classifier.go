package train

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// ClassifierModel is a fine-tuned model.
type ClassifierModel struct {
	Path   string
	Config Config
	Model  beit.Classifier
	Set    *nn.Set
	Names  []string // of the classes, in the order of the outputs; nil where the file does not tell
}

// LoadClassifier opens what stage finetune made, a file, or a run folder, whose newest checkpoint serves while the run goes on; or any other
// file that such a run could start from, if it has a head.
func LoadClassifier(dev *tensor.Device, path string) (*ClassifierModel, error) {
	s, err := openSource(path)
	if err != nil {
		return nil, err
	}
	defer s.file.Close()
	m := &ClassifierModel{Path: s.file.Name(), Set: nn.NewSet(), Names: s.classes}
	noHead := fmt.Errorf("%s: is no classifier: it has no head; 'beit finetune --init-from' makes one of it", s.file.Name())
	if s.vit.Classes == 0 || !s.has("head.weight") {
		return nil, noHead
	}
	if m.Config, err = configOf(s.file); err != nil {
		return nil, err
	}
	if m.Config.Stage != Finetune {
		return nil, noHead
	}
	m.Config.fit(s)
	if !IsRun(s.file) {
		m.Config.present()
	}
	if err := m.Config.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file.Name(), err)
	}
	m.Model = newClassifier(m.Set.Scope(), m.Config.Finetune)
	fit, err := s.model.Fit(m.Set.Params(), true)
	if err != nil {
		return nil, err
	}
	if r := fit.Report; len(r.Missing)+len(r.Unexpected) > 0 {
		return nil, fmt.Errorf("%s: missing are tensors for %s, and without a place in a classifier: %s", s.file.Name(), listed(r.Missing), listed(r.Unexpected))
	}
	if err := fit.Build(dev, m.Set); err != nil {
		return nil, err
	}
	return m, nil
}

// Pipeline presents pictures to the classifier as its run's validation does.
func (m *ClassifierModel) Pipeline() data.Pipeline {
	return &data.Eval{Whole: m.Config.Data.Eval.Whole, Views: m.Config.views()}
}

// Norm is what the network's pictures are normalised with.
func (m *ClassifierModel) Norm() data.Norm { return norms[m.Config.Finetune.Norm] }

// newClassifier declares the network of a configuration.
func newClassifier(s nn.Scope, f *FinetuneConfig) beit.Classifier {
	if f.Network == networkCLIP {
		return beit.NewCLIPClassifier(s, f.Model)
	}
	return beit.NewViT(s, f.Model)
}

// ClassNames reads the names of a classifier's classes, as many as its head has outputs; nil where the file does not tell. A stranger's file may
// mean something else by the key, and then does not tell.
func ClassNames(m *weights.Model) (names []string, err error) {
	text := m.File().Metadata()[metaClasses]
	if text == "" {
		return nil, nil
	}
	outputs := 0
	if head, ok := m.Tensor("head.weight"); ok && len(head.Shape) == 2 {
		outputs = head.Shape[0]
	}
	if err = json.Unmarshal([]byte(text), &names); err != nil {
		err = fmt.Errorf("%s: names of classes: %w", m.File().Name(), err)
	} else if names != nil && len(names) != outputs {
		err = fmt.Errorf("%s: names %d classes, and its head has %d outputs", m.File().Name(), len(names), outputs)
	}
	if err != nil && IsRun(m.File()) {
		return nil, err
	} else if err != nil {
		return nil, nil
	}
	return names, nil
}

// ClassNamesFor is the metadata that gives a file the names of classes; nil without any.
func ClassNamesFor(names []string) map[string]string {
	if names == nil {
		return nil
	}
	text, err := json.Marshal(names)
	if err != nil {
		panic(fmt.Sprintf("train: class names: %v", err)) // strings always have a JSON form
	}
	return map[string]string{metaClasses: string(text)}
}

// adopt takes shape and normalisation of the network from the model at path, unless text, a TOML configuration, has a shape of its own.
func (c *Config) adopt(path string, text []byte) error {
	var given struct {
		Finetune struct{ Model struct{ Width int } }
	}
	if md, err := toml.Decode(string(text), &given); path == "" || err == nil && md.IsDefined("finetune", "model", "width") {
		return nil
	}
	s, err := openSource(path)
	if err != nil {
		return err
	}
	defer s.file.Close()
	c.fit(s)
	if err := c.Check(); err != nil {
		return fmt.Errorf("%s: %w", s.file.Name(), err)
	}
	c.Finetune.Model.Classes = 1 // for the head to be there
	set := nn.NewSet()
	newClassifier(set.Scope(), c.Finetune)
	c.Finetune.Model.Classes = 0
	_, err = s.model.Fit(set.Params(), true)
	return err
}

// fit makes the network that of a source, apart from what belongs to fine-tuning.
func (c *Config) fit(s *source) {
	f := c.Finetune
	old := f.Model
	f.Network, f.Norm, f.Model = s.network, s.norm, s.vit
	m := &f.Model
	m.DropPath, m.InitScale = old.DropPath, old.InitScale
	if m.RelPos == beit.RelPosShared {
		m.RelPos = beit.RelPosBlock
	}
	if s.vit.Classes == 0 {
		m.MeanPool = !s.summary
	}
}

// present shows pictures as the authors do at the network's size.
func (c *Config) present() {
	size := c.Finetune.Model.ImageSize
	c.Data.Eval.Whole = size <= smallest || size >= wholeFrom
	if c.Data.Augment = augmentCrop; size <= smallest {
		c.Data.Augment = augmentPad
	}
}

// Sizes up to which the authors do not crop and resize pictures, and from which they validate on the largest central square in place of 7/8 of it.
const (
	smallest  = 32
	wholeFrom = 384
)

// initFrom starts with the weights of a model of any kind.
func (t *finetuneTask) initFrom(path string) error {
	s, err := openSource(path)
	if err != nil {
		return fmt.Errorf("init_from: %w", err)
	}
	defer s.file.Close()
	f := t.r.cfg.Finetune
	if s.network != f.Network {
		return fmt.Errorf("init_from: %s: is a network %q, and finetune.network = %q", s.file.Name(), s.network, f.Network)
	}
	if s.classes != nil && !slices.Equal(s.classes, t.r.classes) { // a head for other classes
		s.model = s.model.Without("head.")
	}
	fit, err := s.model.Fit(t.s.Params(), true)
	if err == nil {
		err = fit.Load()
	}
	if err != nil {
		return fmt.Errorf("init_from: %w", err)
	}
	r := fit.Report
	t.r.env.Reporter.Notice(fmt.Sprintf("%s: %d tensors loaded; drawn anew: %s; not used: %s", s.file.Name(), len(r.Loaded), listed(r.Missing),
		listed(append(slices.Clone(r.Unexpected), r.Dropped...))))
	return nil
}

// listed names a few of many.
func listed(names []string) string {
	const most = 6
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
