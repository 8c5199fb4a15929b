package cae

import (
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Follow makes the encoder's copy in a set equal to the encoder in another, or in the same.
func Follow(copied, network *nn.Set) {
	for _, p := range copied.Params() {
		if name, ok := strings.CutPrefix(p.Name, prefixTeacher); ok {
			tensor.CopyInto(p.Value, network.Lookup(prefixEncoder+name).Value)
		}
	}
}
