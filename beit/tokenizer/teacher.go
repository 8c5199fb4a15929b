package tokenizer

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Names of teachers.
const (
	teacherHOG    = "hog"
	teacherHOGRef = "hog-ref"
	teacherRun    = "run"
	teacherCLIP   = "clip"
	teacherDINO   = "dino"
	teacherPixels = "pixels"
)

// RoleTeacher is the role of the model that teaches, where it is one.
const RoleTeacher = "teacher"

// prefixTeacher begins the names of the teacher's statistics, which are saved with the tokenizer.
const prefixTeacher = "teacher."

// upstream is the network that teaches, where it has a file.
func upstream(c *config.Config, _ method.Upstreams) []method.Upstream {
	s := SectionOf(c)
	switch {
	case s.Teacher == teacherRun || s.Teacher == teacherPixels && s.Perceptual > 0:
		return []method.Upstream{{Role: RoleTeacher, Key: "tokenizer.teacher_run", Path: s.TeacherRun, Fixed: true}}
	case s.Teacher == teacherCLIP || s.Teacher == teacherDINO:
		return []method.Upstream{{Role: RoleTeacher, Key: "tokenizer.teacher_file", Path: s.TeacherFile, Fixed: true}}
	}
	return nil
}

// Teacher is who teaches, with what it holds. Release it after the last use.
type Teacher struct {
	beit.Teacher
	standardized *beit.Standardized // the teacher when it has statistics, else nil
	pixels       *beit.PixelLoss    // what compares rebuilt pixels, else nil: features are compared
	sets         []*nn.Set          // of the network that teaches, and of statistics that no task holds
}

// Release gives the memory back.
func (t *Teacher) Release() {
	for _, s := range t.sets {
		s.Release()
	}
	t.sets = nil
}

// openTeacher makes the teacher that a section names, of an opened model where it needs one. Its statistics, where it has any, are declared in
// scope.
func openTeacher(dev *tensor.Device, scope nn.Scope, s *Section, m *method.Model) (*Teacher, error) {
	if s.RebuildsPixels() {
		return openPixels(dev, s, m)
	}
	raw, set, err := rawTeacher(dev, s, m)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.teacher: %w", err)
	}
	t := &Teacher{Teacher: raw}
	if set != nil {
		t.sets = append(t.sets, set)
	}
	if s.Teacher == teacherHOG || s.Teacher == teacherRun { // the others teach as they are
		t.standardized = beit.NewStandardized(scope, raw)
		t.Teacher = t.standardized
	}
	return t, nil
}

func rawTeacher(dev *tensor.Device, s *Section, m *method.Model) (beit.Teacher, *nn.Set, error) {
	e := s.Model.Encoder
	switch s.Teacher {
	case teacherHOG:
		t, err := beit.NewHOG(e.ImageSize, e.PatchSize, s.HOGEpsilon)
		return t, nil, err
	case teacherHOGRef:
		t, err := beit.NewHOGRef(e.ImageSize, e.PatchSize, s.HOGEpsilon)
		return t, nil, err
	case teacherRun:
		return trainedTeacher(dev, s, m)
	}
	return publishedTeacher(dev, s, m)
}

// publishedTeacher is a published network. It sees the tokenizer's images, so the patches must be as many.
func publishedTeacher(dev *tensor.Device, s *Section, m *method.Model) (beit.Teacher, *nn.Set, error) {
	if want := map[string]weights.Kind{teacherCLIP: weights.CLIP, teacherDINO: weights.DINO}[s.Teacher]; m.Kind != want || m.Run && want == weights.CLIP {
		return nil, nil, fmt.Errorf("%s: holds a %s, wanted is a %s", m.Path, m.Kind, want)
	}
	size, patch := m.Weights.ViT.ImageSize, m.Weights.ViT.PatchSize
	if e := s.Model.Encoder; e.ImageSize%patch != 0 || e.ImageSize/patch != e.Grid() {
		return nil, nil, fmt.Errorf("%s: the network was trained on images of %d in patches of %d; the tokenizer has images of %d in %d x %d patches, "+
			"and both must cut an image into as many: set tokenizer.model.encoder.patch_size=%d and image_size to a multiple of it",
			m.Path, size, patch, e.ImageSize, e.Grid(), e.Grid(), patch)
	}
	network, set, err := m.Build(dev)
	if err != nil {
		return nil, nil, err
	}
	norm := m.Weights.Norm()
	if clip, ok := network.(*beit.CLIP); ok {
		return beit.NewCLIPTeacher(clip).WithNorm(norm.Mean, norm.Std), set, nil
	}
	return beit.NewDINOTeacher(network.(*beit.DINO)).WithNorm(norm.Mean, norm.Std), set, nil
}

// trainedTeacher is a block of a network that a run trained.
func trainedTeacher(dev *tensor.Device, s *Section, m *method.Model) (beit.Teacher, *nn.Set, error) {
	n, err := buildTrained(dev, s, m)
	if err != nil {
		return nil, nil, err
	}
	blocks, ok := n.network.(beit.BlockModel)
	if !ok {
		n.set.Release()
		return nil, nil, fmt.Errorf("%s: holds a %s, whose blocks cannot teach", m.Path, m.Kind)
	}
	t, err := beit.NewRunTeacher(blocks, n.vit, s.TeacherBlock)
	if err != nil {
		n.set.Release()
		return nil, nil, err
	}
	return t.WithNorm(n.norm.Mean, n.norm.Std), n.set, nil
}

// trained is a network that a run trained.
type trained struct {
	network any
	vit     beit.ViTConfig
	norm    data.Norm // of its images
	set     *nn.Set
}

// buildTrained builds a network that a run trained, for the tokenizer's images: a backbone, a classifier, or the encoder of a tokenizer.
func buildTrained(dev *tensor.Device, s *Section, m *method.Model) (*trained, error) {
	v, ok := m.ViT()
	if !ok {
		return nil, fmt.Errorf("%s: holds a %s, wanted is a backbone, a tokenizer or a classifier", m.Path, m.Kind)
	}
	rows, cols := v.GridSize()
	if e := s.Model.Encoder; v.ImageSize != e.ImageSize || rows != e.Grid() || cols != e.Grid() {
		return nil, fmt.Errorf("%s has images of %d in %d x %d patches, the tokenizer images of %d in %d x %d",
			m.Path, v.ImageSize, rows, cols, e.ImageSize, e.Grid(), e.Grid())
	}
	if m.Input.Bands != nil {
		return nil, fmt.Errorf("%s sees %d channels, or 16 bits: the tokenizer sees red, green and blue with 8 bits", m.Path, v.Channels)
	}
	network, set, err := m.Build(dev)
	if err != nil {
		return nil, err
	}
	t := &trained{network: network, vit: v, norm: m.Input.Norm, set: set}
	if q, ok := network.(*beit.VQKD); ok {
		t.network, t.norm = q.Encoder, data.Inception
	}
	return t, nil
}

// Trained is a tokenizer that is ready for use.
type Trained struct {
	*beit.VQKD
	Model *method.Model
	Set   *nn.Set
}

// Build builds the tokenizer of an opened model. The caller releases its Set.
func Build(dev *tensor.Device, m *method.Model) (*Trained, error) {
	if m.Kind != weights.Tokenizer {
		return nil, fmt.Errorf("%s: holds a %s, wanted is a tokenizer (tokenizer.safetensors, or the run folder that holds it)", m.Path, m.Kind)
	}
	network, set, err := m.Build(dev)
	if err != nil {
		return nil, err
	}
	t := &Trained{VQKD: network.(*beit.VQKD), Model: m, Set: set}
	if !t.Ready() {
		set.Release()
		return nil, fmt.Errorf("%s: the codebook was never filled (quantize.embedding.initted is 0)", m.Path)
	}
	return t, nil
}

// BuildFor is Build for targets of a network of the same images in as many patches.
func BuildFor(dev *tensor.Device, m *method.Model, v beit.ViTConfig) (*Trained, error) {
	t, err := Build(dev, m)
	if err != nil {
		return nil, err
	}
	if from := t.Config.Encoder; from.ImageSize != v.ImageSize || from.Grid() != v.Grid() {
		t.Set.Release()
		return nil, fmt.Errorf("%s has images of %d in %d x %d patches, the model images of %d in %d x %d",
			m.Path, from.ImageSize, from.Grid(), from.Grid(), v.ImageSize, v.Grid(), v.Grid())
	}
	return t, nil
}

// Teacher returns the teacher that the tokenizer learned from, with its statistics. up are the models that Method.OpenUpstream opens for the
// tokenizer's configuration.
func (t *Trained) Teacher(up method.Upstreams) (*Teacher, error) {
	dev, set := t.Set.Device(), nn.NewSet()
	who, err := openTeacher(dev, set.Scope(), SectionOf(t.Model.Config), up[RoleTeacher])
	if err != nil || who.standardized == nil {
		return who, err
	}
	set.Build(dev, 0, nn.Inference)
	who.sets = append(who.sets, set)
	_, err = state.Load(nn.Slots(set.Params()), t.Model.File(), func(name string) (string, bool) {
		return name, strings.HasPrefix(name, prefixTeacher)
	})
	if err != nil {
		who.Release()
		return nil, err
	}
	return who, nil
}

// OpenTeacher is Teacher for those who have no upstream models opened yet.
func (t *Trained) OpenTeacher(open method.Opener) (*Teacher, error) {
	up, err := Method.OpenUpstream(t.Model.Config, open)
	if err != nil {
		return nil, err
	}
	defer up.Close()
	return t.Teacher(up)
}

// describe is the configuration of the nearest preset for a published tokenizer.
func describe(card method.Card) (*config.Config, bool) {
	n, ok := card.Network.(*beit.VQKDConfig)
	if !ok {
		return nil, false
	}
	c := spec.Preset("vqkd_encoder_base_decoder_3x768x12_clip")
	SectionOf(c).Model = *n
	return c, true
}
