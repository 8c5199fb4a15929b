package autograd

import "github.com/gobeit/gobeit/tensor"

// GatherRows returns x[index[r]] for each r. x is [S, ..], and index Int32 [R]. Rows may repeat.
func GatherRows(x *Var, index *tensor.Tensor) *Var {
	return x.tape.result(kGatherRows, tensor.GatherRows(x.value, index), index, nil, x)
}

// Patchify cuts images [B, C, H, W] into tokens [B, H/P·W/P, C·P·P]; see tensor.Patchify.
func Patchify(img *Var, p int) *Var {
	return img.tape.result(kPatchify, tensor.Patchify(img.value, p), p, nil, img)
}
