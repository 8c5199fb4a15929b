package model

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// Predicts says how an opened backbone masks patches, and which tokenizer has the codes that it predicts: a file or run folder, empty for a published
// backbone. A model that predicts no codes is an error.
func Predicts(m *Model) (mask beit.MaskConfig, tokenizer string, err error) {
	if m.Kind != weights.MIM {
		return mask, "", fmt.Errorf("%s: holds a %s, wanted is a backbone with its MIM head", m.Path, m.Kind)
	}
	s := pretrain.SectionOf(m.Config)
	mask = s.Mask
	if grid := s.Model.ViT.Grid(); mask.Rows != grid || mask.Cols != grid { // the preset's, for a published backbone
		mask = pretrain.MaskFor(grid)
	}
	if !m.Run {
		return mask, "", nil
	}
	kind, _ := target.Find(s.Target) // the configuration was checked
	switch {
	case !kind.Codes:
		return mask, "", fmt.Errorf("%s: predicts %s, and no codes (pretrain.target = %q)", m.Path, kind.Title, s.Target)
	case kind.Tokenizer != weights.Tokenizer:
		return mask, "", fmt.Errorf("%s: predicts %s (pretrain.target = %q), and no tokenizer's whose codes can be shown", m.Path, kind.Title, s.Target)
	case s.ShuffleCodes:
		return mask, "", fmt.Errorf("%s: learned codes that were exchanged between patches (pretrain.shuffle_codes), which tell nothing of an image", m.Path)
	}
	return mask, s.Tokenizer, nil
}

// OpenTeacher opens the teacher that the tokenizer in an opened model learned from, on the device of set. open opens the model that teaches, where
// it is one. The caller calls release.
func OpenTeacher(set *nn.Set, m *Model, open method.Opener) (teacher beit.Teacher, release func(), err error) {
	t, err := (&tokenizer.Trained{Model: m, Set: set}).OpenTeacher(open)
	if err != nil {
		return nil, nil, err
	}
	if t.RebuildsPixels() {
		t.Release()
		return nil, nil, fmt.Errorf("%s: its decoder rebuilds pixels, not a teacher's features", m.Path)
	}
	return t, t.Release, nil
}
