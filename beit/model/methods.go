package model

import (
	"slices"

	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/splitmask"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// methods are all methods, in the order in which they build on each other. A new one is a line here.
var methods = method.List{
	dino.Method,
	tokenizer.Method,
	pretrain.Method,
	cae.Method,
	mae.Method,
	splitmask.Method,
	finetune.Method,
	segment.Method,
}

// Methods lists all methods, in the order in which they build on each other.
func Methods() method.List { return slices.Clone(methods) }
