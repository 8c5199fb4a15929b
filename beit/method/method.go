package method

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// Method is one way to train a network.
type Method struct {
	config.Spec // name and presets

	Title     string // what it trains, for people: "tokenizer"
	Command   string // of beit that trains it: "tokenizer train"
	Stream    string // hashed into the order of the training images: never changed, for old runs would continue in another order
	ModelFile string // name of the finished model in its run folder

	Metrics  []Metric  // the method's own; LoopMetrics are those of all methods
	Symptoms []Symptom // of runs that go wrong; those of all methods are in beit/train/health.go
	// Trend says what a run learns by the record of a validation; empty where that does not tell. Nil: it never does.
	Trend func(f *Figures) Trend
	Main  string // key of the metric by which its runs are listed, in records of validation; those of training have KeyLoss
	// Verdict says in two sentences what a run reached, beside chance and baselines, and whether that is good. Nil: nothing is said.
	Verdict func(o Outcome) []string

	ImageSize    func(c *config.Config) int           // side of the images that the network sees, the longer one of those that are no squares
	ImageSizeKey string                               // the key that sets it
	Train        func(c *config.Config) data.Pipeline // of training, with augmentation
	Eval         func(c *config.Config) data.Pipeline // of validation

	// Masking says what a network of c is shown that predicts what it does not see. Nil: it sees all.
	Masking func(c *config.Config) Masking

	// Cost says how large the network of c is, a preset or one that is changed, and what training takes.
	Cost func(c *config.Config) Cost
	// Card describes the finished model.
	Card func(c *config.Config) Card
	// Task declares and builds the network under training.
	Task func(env *Env) (Task, error)

	// Upstream lists the models that c needs beside the method's own, as far as that is known from those that are open already: it is asked again
	// until all are. Nil: none.
	Upstream func(c *config.Config, have Upstreams) []Upstream
	// Start is the path of the model that a run starts from where init_from names none, and the key that names it; an empty path: from random
	// weights, as with a nil Start.
	Start func(c *config.Config) (path, key string)
	// Adapt fits a preset to the model that the run starts from, which may be nil, before the layers come over it. Nil: nothing changes.
	Adapt func(base *config.Config, over config.Layers, start *Model) error
	// Describe fills in a configuration for a model that no run made, from the card of its file; false where it is not this method's. Nil: it never is.
	Describe func(card Card) (c *config.Config, ok bool)

	// Recognize tells whether a model that no run made is one of this method's, by names, shapes and values of its tensors; nil where it is not. Nil: none
	// is, or Describe tells.
	Recognize func(w *weights.Model) *Recognized
	// Encoder is the part of a model that others begin with and that is exported, as weights of a kind that package weights knows. Nil: the model itself.
	Encoder func(m *Model) *weights.Model

	// Network returns the zero value that Card.Network of this method points to for a kind; nil where that is one of package beit's. Declare declares
	// the network of a card. Both are nil where package beit has all of the method's networks.
	Network func(kind weights.Kind) any
	Declare func(s nn.Scope, card Card) any
}

// Recognized is what a method knows of a model that no run made.
type Recognized struct {
	Card    Card
	Config  *config.Config // the nearest there is
	Weights *weights.Model // its tensors under the names that Declare gives them; they may share the file
}

// Masking says which patches are masked in validation.
type Masking struct {
	Of    func(image int) []bool // by the image's place in its data set: the patches of the grid, row by row
	Codes bool                   // what is predicted are a tokenizer's codes
	// Pixels says that what is predicted are pixels: the network is a beit.Rebuilder, and Standardised is what that wants to know.
	Pixels, Standardised bool
}

// List are the methods that somebody knows.
type List []*Method

// Find returns the method of a name, which may be a former one.
func (l List) Find(name string) (*Method, error) {
	i := slices.IndexFunc(l, func(m *Method) bool { return m.Name == config.CurrentMethod(name) })
	if i < 0 {
		return nil, fmt.Errorf("method %q does not exist; %s", name, config.Hint(name, l.Names(), "%q", "there are "+strings.Join(l.Names(), ", ")))
	}
	return l[i], nil
}

// Names lists the names of the methods.
func (l List) Names() (names []string) {
	for _, m := range l {
		names = append(names, m.Name)
	}
	return names
}

// Read reads the configuration of a run of one of the methods. Errors call it source.
func (l List) Read(text, source string) (*Method, *config.Config, error) {
	name, err := config.MethodOf(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", source, err)
	}
	m, err := l.Find(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", source, err)
	}
	c, err := config.Read(m.Spec, text, source)
	return m, c, err
}

// OpenError says that a model could not be opened which a configuration names: the configuration itself may be right.
type OpenError struct{ Err error }

// Error is that of opening.
func (e *OpenError) Error() string { return e.Err.Error() }

// Unwrap is the error of opening.
func (e *OpenError) Unwrap() error { return e.Err }

// Configure makes a configuration of m; see config.Configure. It names the model that the run starts from. A method that adapts itself to that gets
// it opened by open: it is returned, and the caller closes it.
func (m *Method) Configure(preset, file string, set []string, open Opener) (c *config.Config, start *Model, err error) {
	adapt := func(base *config.Config, over config.Layers) error {
		if m.Adapt == nil {
			return nil
		}
		asked, err := over.Over(base)
		if err != nil {
			return err
		}
		key := "init_from"
		if asked.InitFrom == "" && m.Start != nil {
			base.InitFrom, key = m.Start(asked)
			asked.InitFrom = base.InitFrom
		}
		if asked.InitFrom != "" {
			if start, err = open(asked.InitFrom, asked.InitKey); err != nil {
				return &OpenError{fmt.Errorf("%s: %w", key, err)}
			}
		}
		return m.Adapt(base, over, start)
	}
	if c, err = config.Configure(m.Spec, preset, file, set, adapt); err != nil && start != nil {
		start.Close()
		start = nil
	}
	return c, start, err
}
