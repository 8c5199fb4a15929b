package oracletest

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// conv checks a convolution. Its stride and padding follow from the sizes.
func (c *opCase) conv() {
	c.check(autograd.Conv2D(c.in("x"), c.in("w"), c.in("b"), c.convOptions(c.in("x").Shape(), c.shape(c.t, c.op+"/out/y"))))
}

// again is the case anew, for another way to compute it.
func (c *opCase) again() *opCase {
	tape := autograd.NewTape(c.tape.Device())
	c.t.Cleanup(tape.Reset)
	return &opCase{file: c.file, t: c.t, op: c.op, tape: tape, inputs: map[string]*autograd.Var{}}
}

// convTranspose checks a transposed convolution: of its images, the result is the larger one.
func (c *opCase) convTranspose() {
	c.check(autograd.ConvTranspose2D(c.in("x"), c.in("w"), c.in("b"), c.convOptions(c.shape(c.t, c.op+"/out/y"), c.in("x").Shape())))
}

// convOptions returns the options with which the kernels of the case map images of the first shape to those of the second.
func (c *opCase) convOptions(from, to []int) (o tensor.ConvOptions) {
	kernel := c.in("w").Shape()
	for i := range 2 {
		n, m, k := from[2+i], to[2+i], kernel[2+i]
		o.Stride[i] = n / m
		o.Padding[i] = ((m-1)*o.Stride[i] + k - n) / 2
	}
	return o
}
