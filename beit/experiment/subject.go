package experiment

import (
	"context"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// Subject is an opened model with the images that it is probed on. Close it after the last use.
type Subject struct {
	Model   *model.Model
	Encoder *model.Encoder
	Images  *method.Images
}

// OpenSubject opens the model at path, with options, and the images that images returns for it and for the size that it sees. They need both parts,
// with labels: their classes are then numbered alike.
func OpenSubject(e Env, path string, images func(m *model.Model, size int) (*method.Images, error), options ...model.Option) (s *Subject, err error) {
	s = &Subject{}
	if s.Model, err = model.Open(path, options...); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	method.Tell(e.reporter(), s.Model.Warnings())
	if s.Encoder, err = model.OpenProbed(e.device(), s.Model); err != nil {
		return s, err
	}
	if s.Images, err = images(s.Model, s.Encoder.ViT.ImageSize); err != nil {
		return s, err
	}
	return s, labelled(s.Images)
}

// Close gives back what the subject holds.
func (s *Subject) Close() {
	if s.Images != nil {
		s.Images.Close()
	}
	if s.Encoder != nil {
		s.Encoder.Set.Release()
	}
	s.Model.Close()
}

// subjectName is what a subject is called beside other networks.
const subjectName = "pretrained"

// Beside says what features are taken beside those of the subject.
type Beside struct {
	Alone     bool // none of other networks
	Pools     []probe.Pool
	Both      bool   // cls and mean side by side too
	Raw       bool   // before the final norm, in place of after it
	Tokenizer string // path of the tokenizer whose teacher stands beside; empty: that of the subject's run
	Seed      uint64 // of the untrained network
}

// Samples computes the features of the subject; and unless it is to stand alone, of an untrained network, of the pixels, and of the teacher that
// the subject learned from, where there is one.
func (s *Subject) Samples(ctx context.Context, e Env, b Beside) ([]Sample, error) {
	size := s.Encoder.ViT.ImageSize
	contenders := []Contender{{subjectName, b.extractor(s.Encoder.Encoder, s.Encoder.Norm)}}
	if !b.Alone {
		random, set, err := model.RandomEncoder(e.device(), s.Model, b.Seed)
		if err != nil {
			return nil, err
		}
		defer set.Release()
		contenders = append(contenders, Contender{"untrained", b.extractor(random, s.Encoder.Norm)}, Pixels(size, b.Pools...))
		teacher, err := s.teacher(e, b.Tokenizer)
		switch {
		case err != nil && b.Tokenizer != "":
			return nil, err
		case err != nil:
			e.reporter().Notice(fmt.Sprintf("the teacher's own features are left out: %v", err))
		case teacher != nil:
			defer teacher.Release()
			contenders = append(contenders, Teacher(teacher, b.Pools...))
		}
	}
	list, err := Extract(ctx, e, s.Images, size, contenders)
	if err != nil || !b.Both {
		return list, err
	}
	return withBoth(list), nil
}

// extractor takes features of a network.
func (b Beside) extractor(m beit.Encoder, norm data.Norm) probe.Extractor {
	if blocks, ok := m.(probe.LayerModel); ok && b.Raw {
		return probe.BeforeNorm(blocks, norm, b.Pools...)
	}
	return probe.Network(m, norm, b.Pools...)
}

// withBoth puts behind each pair of cls and mean of a network both side by side.
func withBoth(all []Sample) (list []Sample) {
	for i, s := range all {
		list = append(list, s)
		if i == 0 || all[i-1].Network != s.Network || !strings.HasPrefix(all[i-1].Train.Name, string(probe.PoolCLS)) {
			continue
		}
		if strings.HasPrefix(s.Train.Name, string(probe.PoolMean)) {
			list = append(list, Sample{Network: s.Network, Train: probe.Join(all[i-1].Train, s.Train), Val: probe.Join(all[i-1].Val, s.Val)})
		}
	}
	return list
}

// teacher is that of the tokenizer at path, or else of the subject's run; nil for a model that learned from no tokenizer.
func (s *Subject) teacher(e Env, path string) (*tokenizer.Teacher, error) {
	section, pretrained := s.Model.Config.Section.(*pretrain.Section)
	switch {
	case path != "":
	case s.Model.Method == tokenizer.Method:
		return teacherOf(e, s.Model)
	case pretrained:
		path = section.Tokenizer
	default:
		return nil, nil
	}
	m, err := e.open()(path, "")
	if err != nil {
		return nil, fmt.Errorf("%w; name a tokenizer with --tokenizer", err)
	}
	defer m.Close()
	return teacherOf(e, m)
}

// teacherOf is the teacher of a tokenizer.
func teacherOf(e Env, m *model.Model) (*tokenizer.Teacher, error) {
	tok, err := tokenizer.Build(e.device(), m)
	if err != nil {
		return nil, err
	}
	defer tok.Set.Release()
	return tok.OpenTeacher(e.open())
}
