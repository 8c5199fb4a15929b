package autograd

import "github.com/gobeit/gobeit/tensor"

// axes are the maps of rows and columns of Resample.
type axes struct{ rows, cols *tensor.Taps }

var resampleRule = newRule(rule{name: "Resample", grad: func(n *node, dy *tensor.Tensor) {
	if !n.in[only].needs {
		return
	}
	a := n.attr.(axes)
	n.in[only].accept(tensor.Resample(dy, a.rows.Transpose(), a.cols.Transpose()))
}})

// Resample maps rows and columns of x [B, C, H, W] to [B, C, H', W']; see tensor.Resample.
func Resample(x *Var, rows, cols *tensor.Taps) *Var {
	t := begin("Resample", "x", x)
	return t.result(resampleRule, tensor.Resample(x.value, rows, cols), axes{rows, cols}, nil, x)
}

// ResizeBilinear resizes x [B, C, H, W] to [B, C, h, w] by linear interpolation between centres of cells: PyTorch's interpolate with mode="bilinear" and
// align_corners=False.
func ResizeBilinear(x *Var, h, w int) *Var {
	return resized("ResizeBilinear", x, h, w, tensor.BilinearTaps)
}

// ResizeNearest resizes x [B, C, H, W] to [B, C, h, w]: cell (i, j) of the result is cell (⌊i·H/h⌋, ⌊j·W/w⌋) of x.
func ResizeNearest(x *Var, h, w int) *Var {
	return resized("ResizeNearest", x, h, w, tensor.NearestTaps)
}

// AdaptiveAvgPool averages x [B, C, H, W] over h·w bins: bin i of h rows reaches from ⌊i·H/h⌋ to ⌈(i+1)·H/h⌉, exclusive. Bins may overlap.
func AdaptiveAvgPool(x *Var, h, w int) *Var {
	return resized("AdaptiveAvgPool", x, h, w, tensor.AdaptiveTaps)
}

// resized maps each axis as taps says, for a call of the function of that name.
func resized(name string, x *Var, h, w int, taps func(from, to int) *tensor.Taps) *Var {
	s := maps(name, x)
	if s[2] < 1 || s[3] < 1 || h < 1 || w < 1 {
		panic(&tensor.ShapeError{Op: name, Shapes: []tensor.Shape{s, {h, w}}, Reason: "want at least one cell"})
	}
	return Resample(x, taps(s[2], h), taps(s[3], w))
}

// AvgPool averages x [B, C, H, W] over windows. Cells of the padding count as zeros, as in PyTorch.
func AvgPool(x *Var, w tensor.Window) *Var {
	s := maps("AvgPool", x)
	if _, _, ok := w.Sides(s[2], s[3]); !ok {
		panic(&tensor.ShapeError{Op: "AvgPool", Shapes: []tensor.Shape{s, w.Kernel[:], w.Stride[:], w.Padding[:]},
			Reason: "want a window within the input and its padding, which is at most half the window"})
	}
	rows, cols := w.Taps(s[2], s[3])
	return Resample(x, rows, cols)
}

// maps checks that x is Float32 [B, C, H, W], for a call of the function of that name.
func maps(name string, x *Var) tensor.Shape {
	begin(name, "x", x)
	floats(name, x.value)
	s := x.Shape()
	if len(s) != 4 {
		panic(&tensor.ShapeError{Op: name, Shapes: []tensor.Shape{s}, Reason: "want [B, C, H, W]"})
	}
	return s
}
