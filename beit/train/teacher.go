package train

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Names of teachers.
const (
	teacherHOG    = "hog"
	teacherHOGRef = "hog-ref"
	teacherRun    = "run"
	teacherCLIP   = "clip"
	teacherDINO   = "dino"
)

var teacherNames = []string{teacherHOG, teacherHOGRef, teacherRun, teacherCLIP, teacherDINO}

// published says whether the teacher is a network whose file tokenizer.teacher_file names.
func (c *TokenizerConfig) published() bool {
	return c.Teacher == teacherCLIP || c.Teacher == teacherDINO
}

// openTeacher makes the teacher that c names. Its statistics, where it has any, are declared in scope; standard is nil where it
// has none.
func openTeacher(dev *tensor.Device, scope nn.Scope, c *TokenizerConfig) (t beit.Teacher, standard *beit.Standard, err error) {
	raw, err := rawTeacher(dev, c)
	if err != nil {
		return nil, nil, fmt.Errorf("tokenizer.teacher: %w", err)
	}
	if c.Teacher == teacherHOGRef || c.published() { // these teach as they are
		return raw, nil, nil
	}
	standard = beit.NewStandard(scope, raw)
	return standard, standard, nil
}

func rawTeacher(dev *tensor.Device, c *TokenizerConfig) (beit.Teacher, error) {
	e := c.Model.Encoder
	switch c.Teacher {
	case teacherHOG:
		return beit.NewHOG(e.ImageSize, e.PatchSize)
	case teacherHOGRef:
		return beit.NewHOGRef(e.ImageSize, e.PatchSize)
	case teacherRun:
		return openRunTeacher(dev, c)
	}
	return openPublished(dev, c)
}

// openPublished reads the network of tokenizer.teacher_file. It sees the tokenizer's pictures, so the patches must be as many.
func openPublished(dev *tensor.Device, c *TokenizerConfig) (beit.Teacher, error) {
	if c.TeacherFile == "" {
		return nil, fmt.Errorf("%s: name the file of the network in tokenizer.teacher_file", c.Teacher)
	}
	m, err := weights.Open(c.TeacherFile)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if want := map[string]weights.Kind{teacherCLIP: weights.CLIP, teacherDINO: weights.DINO}[c.Teacher]; m.Kind != want {
		return nil, fmt.Errorf("%s: holds a %s, wanted is %s", c.TeacherFile, m.Kind, want)
	}
	size, patch := m.ViT.ImageSize, m.ViT.PatchSize
	if e := c.Model.Encoder; e.ImageSize%patch != 0 || e.ImageSize/patch != e.Grid() {
		return nil, fmt.Errorf("%s: the network was trained on pictures of %d in patches of %d; the tokenizer has pictures of %d in %d x %d patches, "+
			"and both must cut a picture into as many: set tokenizer.model.encoder.patch_size=%d and image_size to a multiple of it",
			c.TeacherFile, size, patch, e.ImageSize, e.Grid(), e.Grid(), patch)
	}
	network, _, err := m.Build(dev)
	if err != nil {
		return nil, err
	}
	if clip, ok := network.(*beit.CLIP); ok {
		return beit.NewCLIPTeacher(clip), nil
	}
	return beit.NewDINOTeacher(network.(*beit.DINO)), nil
}

func openRunTeacher(dev *tensor.Device, c *TokenizerConfig) (beit.Teacher, error) {
	m, err := LoadEncoder(dev, c.TeacherRun)
	if err != nil {
		return nil, err
	}
	v, e := m.ViT, c.Model.Encoder
	if v.ImageSize != e.ImageSize || v.Grid() != e.Grid() {
		return nil, fmt.Errorf("%s has pictures of %d in %d x %d patches, the tokenizer pictures of %d in %d x %d",
			m.Path, v.ImageSize, v.Grid(), v.Grid(), e.ImageSize, e.Grid(), e.Grid())
	}
	return beit.NewRunTeacher(m.Model, v, c.TeacherBlock)
}
