package autograd

import "github.com/gobeit/gobeit/tensor"

// GatherRows returns x[index[r]] for each r. x is [S, ..], and index Int32 [R]. Rows may repeat.
func GatherRows(x *Var, index *tensor.Tensor) *Var {
	t := begin("GatherRows", "x", x)
	return t.result(kGatherRows, tensor.GatherRows(x.value, index), index, nil, x)
}

// Patchify cuts images [B, C, H, W] into tokens [B, H/P·W/P, C·P·P]; see tensor.Patchify.
func Patchify(img *Var, p int) *Var {
	t := begin("Patchify", "img", img)
	return t.result(kPatchify, tensor.Patchify(img.value, p), p, nil, img)
}
