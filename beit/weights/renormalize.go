package weights

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
)

// Names of the patch embedding.
const (
	patchWeight = "patch_embed.proj.weight" // [d, C, P, P]
	patchBias   = "patch_embed.proj.bias"   // [d]
)

// Renormalize changes the patch embedding among params, which is for images normalised by from, so that the network computes the same of images
// normalised by to. Channel c of these is x' = x·std'/std + (mean' - mean)/std: the factor goes into the weights, and the shift into the biases.
// That is exact, because no patch is padded.
func Renormalize(params []*nn.Param, from, to data.Norm) error {
	var weight, bias *nn.Param
	for _, p := range params {
		switch p.Name {
		case patchWeight:
			weight = p
		case patchBias:
			bias = p
		}
	}
	if weight == nil || bias == nil || len(weight.Shape) != 4 || weight.Shape[1] != 3 {
		return fmt.Errorf("the network has no %s for three channels and %s: its images cannot be normalised otherwise", patchWeight, patchBias)
	}
	w, b := weight.Value.Float32s(), bias.Value.Float32s()
	area := weight.Shape[2] * weight.Shape[3]
	for i := range b {
		sum := float64(b[i])
		for c := range 3 {
			factor := float64(to.Std[c]) / float64(from.Std[c])
			shift := (float64(to.Mean[c]) - float64(from.Mean[c])) / float64(from.Std[c])
			for j := range area {
				v := &w[(i*3+c)*area+j]
				sum += shift * float64(*v)
				*v = float32(factor * float64(*v))
			}
		}
		b[i] = float32(sum)
	}
	weight.Value.Upload(w)
	bias.Value.Upload(b)
	return nil
}
