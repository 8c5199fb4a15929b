package pretrain

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// sources are the networks that labels are made by.
type sources struct {
	target.Sources
	tokenizer *tokenizer.Trained // nil where another network is the tokenizer
	held      []interface{ Release() }
}

// release gives the memory back.
func (s *sources) release() {
	for _, h := range s.held {
		h.Release()
	}
}

// openSources builds what a kind of target needs, of the opened models of a run. scope is for buffers of the target.
func openSources(e *method.Env, kind target.Kind, scope nn.Scope) (*sources, error) {
	s := &sources{Sources: target.Sources{Network: SectionOf(e.Config).Model, State: scope}}
	if kind.Tokenizer == "" {
		return s, nil
	}
	m := e.Upstream[RoleTokenizer]
	if kind.Tokenizer == weights.DALLE {
		if m.Kind != weights.DALLE {
			return nil, fmt.Errorf("pretrain.tokenizer: %s: holds a %s, and pretrain.target = %q needs DALL-E's encoder ('beit pull dalle-encoder')", m.Path, m.Kind, kind.Name)
		}
		network, set, err := m.Build(e.Device)
		if err != nil {
			return nil, fmt.Errorf("pretrain.tokenizer: %w", err)
		}
		s.DALLE, s.held = network.(*beit.DALLE), append(s.held, set)
		return s, nil
	}
	if m.Kind == weights.DALLE {
		return nil, fmt.Errorf("pretrain.tokenizer: %s: holds a %s: its codes are learned with --method beit1, that is pretrain.target=%s", m.Path, m.Kind, target.DALLE)
	}
	section := SectionOf(e.Config)
	tok, err := tokenizer.BuildFor(e.Device, m, section.Model.ViT)
	if err != nil {
		return nil, fmt.Errorf("pretrain.tokenizer: %w", err)
	}
	s.tokenizer, s.Tokenizer, s.held = tok, tok.VQKD, append(s.held, tok.Set)
	if kind.NeedsTeacher {
		if err := s.openTeacher(e, section); err != nil {
			s.release()
			return nil, err
		}
	}
	return s, nil
}

// openTeacher builds the tokenizer's teacher.
func (s *sources) openTeacher(e *method.Env, section *Section) error {
	teacher, err := s.tokenizer.Teacher(e.Upstream)
	if err != nil {
		return fmt.Errorf("pretrain.target: %w", err)
	}
	s.Teacher, s.held = teacher.Teacher, append(s.held, teacher)
	if teacher.RebuildsPixels() {
		return fmt.Errorf("pretrain.target = %q: the tokenizer rebuilds pixels and has no teacher: set pretrain.target=codes", section.Target)
	}
	if s.Class = section.over() == beit.OverAllCLS; !s.Class {
		return nil
	}
	class, ok := teacher.Teacher.(beit.ClassTeacher)
	if !ok {
		return section.noClassToken(teacher.Name())
	}
	s.Teacher = class
	return nil
}

func (s *Section) noClassToken(teacher string) error {
	return fmt.Errorf("pretrain.feature_loss = %q: teacher %s has no class token; those of clip and dino have one", s.FeatureLoss, teacher)
}

// CheckTokenizer says why a run of c, of this method or another one, cannot learn from tokenizers of a configuration, or from their teacher; nil where it
// can.
func CheckTokenizer(c, tok *config.Config) error {
	own, ok := c.Section.(*Section)
	if !ok {
		return nil
	}
	kind, _ := target.Find(own.Target)
	switch s := tokenizer.SectionOf(tok); {
	case kind.Tokenizer != weights.Tokenizer:
		return fmt.Errorf("pretrain.target = %q: does not learn from a tokenizer that 'beit tokenizer train' makes, and there is one", own.Target)
	case !kind.NeedsTeacher:
		return nil
	case s.RebuildsPixels():
		return fmt.Errorf("learns the features of the tokenizer's teacher, and with tokenizer.teacher = %q there are none", s.Teacher)
	case own.over() == beit.OverAllCLS && !s.HasClassToken():
		return own.noClassToken(s.Teacher)
	}
	return nil
}
