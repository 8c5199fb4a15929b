package beit

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Rebuilder is a network that predicts the pixels of patches that it does not see.
type Rebuilder interface {
	// Rebuild returns normalised images [B, 3, S, S] with predicted pixels in the patches of masked, [B·N], and all others as they are. As many patches
	// are masked in each image, and one is not: else it panics. standardised says that the network learned to predict pixels relative to mean and
	// deviation of their patch. Then each masked patch gets those that it has in the image. The caller releases the result.
	Rebuild(c nn.Context, images *autograd.Var, masked []bool, standardised bool) *tensor.Tensor
}
