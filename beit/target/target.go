package target

import (
	"slices"

	"github.com/gobeit/gobeit/beit"
)

// Kind is one kind of target.
type Kind struct {
	Name         string // value of pretrain.target
	Method       string // what "beit pretrain --method" calls it
	Title        string // one line for people
	NeedsTeacher bool   // the tokenizer's teacher is opened too
	Codes        bool   // its labels are *beit.CodeLabels
	Class        bool   // its labels are beit.ClassLabels where Sources.Class says so
	New          func(s Sources) beit.Target
}

// Sources are what targets are made from.
type Sources struct {
	Tokenizer *beit.VQKD
	Teacher   beit.Teacher // of the tokenizer; nil unless the kind needs it
	Class     bool         // the class token has a label too; Teacher is a beit.ClassTeacher
}

// Kinds are all kinds of targets.
var Kinds = []Kind{codes, features}

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
