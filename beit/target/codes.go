package target

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
)

// codes are the visual tokens of a frozen tokenizer (arXiv 2208.06366).
var codes = Kind{
	Name: "codes", Method: "beit2", Title: "the tokenizer's codes, by cross-entropy", Codes: true, Tokenizer: weights.Tokenizer,
	New: func(s Sources) beit.Target { return beit.CodeTarget{Tokenizer: s.Tokenizer} },
}
