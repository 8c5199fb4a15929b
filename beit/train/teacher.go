package train

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Names of teachers.
const (
	teacherHOG    = "hog"
	teacherHOGRef = "hog-ref"
	teacherRun    = "run"
)

var teacherNames = []string{teacherHOG, teacherHOGRef, teacherRun, "clip", "dino"}

// openTeacher makes the teacher that c names. Its statistics, where it has any, are declared in scope; standard is nil where it
// has none.
func openTeacher(dev *tensor.Device, scope nn.Scope, c *TokenizerConfig) (t beit.Teacher, standard *beit.Standard, err error) {
	raw, err := rawTeacher(dev, c)
	if err != nil {
		return nil, nil, fmt.Errorf("tokenizer.teacher: %w", err)
	}
	if c.Teacher == teacherHOGRef {
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
	return nil, fmt.Errorf("%s: the published network's weights cannot be read yet; choose %s, %s or %s", c.Teacher, teacherHOG, teacherHOGRef, teacherRun)
}

func openRunTeacher(dev *tensor.Device, c *TokenizerConfig) (beit.Teacher, error) {
	m, err := LoadBackbone(dev, c.TeacherRun)
	if err != nil {
		return nil, err
	}
	v, e := m.Model.Config.ViT, c.Model.Encoder
	if v.ImageSize != e.ImageSize || v.Grid() != e.Grid() {
		return nil, fmt.Errorf("%s has pictures of %d in %d x %d patches, the tokenizer pictures of %d in %d x %d",
			m.Path, v.ImageSize, v.Grid(), v.Grid(), e.ImageSize, e.Grid(), e.Grid())
	}
	return beit.NewRunTeacher(m.Model, v, c.TeacherBlock)
}
