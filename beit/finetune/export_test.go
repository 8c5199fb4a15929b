package finetune

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
)

// ModelOf is the network under training of a task of this method.
func ModelOf(t method.Task) beit.Classifier { return t.(*task).model }
