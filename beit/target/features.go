package target

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
)

// features are those of the tokenizer's teacher, as MVP predicts them (arXiv 2203.05175).
var features = Kind{
	Name: "features", Method: "mvp", Title: "the features of the tokenizer's teacher, by cosine", NeedsTeacher: true, Class: true, Tokenizer: weights.Tokenizer,
	New: func(s Sources) beit.Target { return beit.FeatureTarget{Teacher: s.Teacher, Class: s.Class} },
}
