package splitmask

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Contrast is what InfoNCE makes of two vectors of each image. Its Vars may be read until the tape's Reset.
type Contrast struct {
	Loss    *autograd.Var  // one element
	Logits  *autograd.Var  // [B, B]: cosine similarities of the first vectors, by row, with the second ones, divided by the temperature
	Partner *tensor.Tensor // Int32 [B]: the right column of each row, 0 … B-1; owned by the tape
}

// InfoNCE is low where a [B, D] and b [B, D] are alike in each row and unlike in different ones: the mean of the cross-entropies of choosing the row of b
// by that of a, and the row of a by that of b. Similarities are computed in float32.
func InfoNCE(c nn.Context, a, b *autograd.Var, temperature float64) Contrast {
	if !a.Shape().Equal(b.Shape()) || len(a.Shape()) != 2 {
		panic(fmt.Sprintf("splitmask: InfoNCE: vectors %v and %v", a.Shape(), b.Shape()))
	}
	rows := make([]int32, a.Shape()[0])
	for i := range rows {
		rows[i] = int32(i)
	}
	r := Contrast{Partner: c.Tape.Own(tensor.FromInts(c.Tape.Device(), rows, len(rows))).Value()}
	r.Logits = c.Exact(func() *autograd.Var {
		cosines := autograd.MatMul(autograd.L2Normalize(a), autograd.Permute(autograd.L2Normalize(b), 1, 0))
		return autograd.Affine(cosines, float32(1/temperature), 0)
	}).Keep()
	there := autograd.CrossEntropy(r.Logits, r.Partner, 0)
	back := autograd.CrossEntropy(autograd.Permute(r.Logits, 1, 0), r.Partner, 0)
	r.Loss = autograd.Affine(autograd.Add(there, back), 0.5, 0).Keep()
	return r
}
