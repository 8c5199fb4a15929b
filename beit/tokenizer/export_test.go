package tokenizer

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// OpenTeacher is openTeacher for tests that open models. standardized says that the teacher has statistics.
func OpenTeacher(s *Section, m *method.Model) (t beit.Teacher, standardized bool, err error) {
	who, err := openTeacher(tensor.CPU(), nn.NewSet().Scope(), s, m)
	if err != nil {
		return nil, false, err
	}
	return who, who.standardized != nil, nil
}
