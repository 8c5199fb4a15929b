package target

import (
	"context"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Kind is one kind of target.
type Kind struct {
	Name         string // value of pretrain.target
	Method       string // what "beit pretrain --method" calls it
	Title        string // one line for people
	NeedsTeacher bool   // the tokenizer's teacher is opened too
	Codes        bool   // its labels are *beit.CodeLabels
	Class        bool   // its labels are beit.ClassLabels where Sources.Class says so

	Tokenizer weights.Kind // of the model in pretrain.tokenizer; empty: the target learns from no model
	Settings  []string     // assignments that go with Method: what a configuration for a tokenizer of ours would have otherwise
	// View is what labels are made of, for a grid of so many patches; its name is left empty. Nil: what the network sees, in [0, 1].
	View func(grid int) data.View

	New func(s Sources) beit.Target
}

// Sources are what targets are made from.
type Sources struct {
	Tokenizer *beit.VQKD   // nil where the kind has another tokenizer
	Teacher   beit.Teacher // of the tokenizer; nil unless the kind needs it
	Class     bool         // the class token has a label too; Teacher is a beit.ClassTeacher
	DALLE     *beit.DALLE  // nil where the kind has another tokenizer

	Network beit.MIMConfig // that learns: what its patches are, and how many codes it is to tell apart where no tokenizer says so
	State   nn.Scope       // for buffers that the run saves, and its finished model leaves out
}

// Fitted is a target with buffers in Sources.State that are fitted to the training images before the first step.
type Fitted interface {
	beit.Target
	Fit(ctx context.Context, e *method.Env) error
}

// Slow is a target whose labels are codes that cost more than a student's step: they are kept where images are always shown alike.
type Slow interface {
	beit.Target
	// CodesOf returns the codes of images view, as those of Labels: one for each of the B·N patches.
	CodesOf(c nn.Context, view *tensor.Tensor) []int32
}

// Kinds are all kinds of targets.
var Kinds = []Kind{codes, features, dalle, pixelCodes}

// Find returns the kind of a name.
func Find(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds[i], true
}

// Names lists the names of all kinds.
func Names() (names []string) {
	for _, k := range Kinds {
		names = append(names, k.Name)
	}
	return names
}
