package oracletest

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// The checks of operations on maps [B, C, H, W].

// bilinear resizes to the size in the case.
func (c *opCase) bilinear() {
	size := c.ints(c.t, c.op+"/in/size")
	c.check(autograd.ResizeBilinear(c.in("x"), size[0], size[1]))
}

// adaptiveAvgPool pools to the sides that the output has.
func (c *opCase) adaptiveAvgPool() {
	sides := c.shape(c.t, c.op+"/out/y")[2:]
	c.check(autograd.AdaptiveAvgPool(c.in("x"), sides[0], sides[1]))
}

// maxPool pools by the window that the name tells, as in k2s2.
func (c *opCase) maxPool() {
	window := regexp.MustCompile(`_k([0-9]+)s([0-9]+)`).FindStringSubmatch(c.op)
	if window == nil {
		c.set.Unknown(c.t, "%s: the name does not tell kernel and stride", c.op)
	}
	kernel, _ := strconv.Atoi(window[1])
	stride, _ := strconv.Atoi(window[2])
	c.check(autograd.MaxPool(c.in("x"), tensor.SquareWindow(kernel, stride, 0)))
}

// batchNorm checks a layer whose running statistics move after the pass.
func (c *opCase) batchNorm() {
	set, dev := nn.NewSet(), c.tape.Device()
	x := c.in("x")
	layer := nn.NewBatchNorm(set.Scope(), x.Shape()[1])
	layer.Eps, layer.Momentum = float32(c.setting("eps", 1e-5)), c.setting("momentum", 0.1)
	set.Build(dev, 0, nn.Training)
	defer set.Release()
	params := map[string]*nn.Param{"w": layer.W, "b": layer.B, "running_mean": layer.Mean, "running_var": layer.Var}
	for name, p := range params {
		p.Value.Upload(c.floats(c.t, c.op+"/in/"+name))
	}
	running := nn.NewRunning(dist.Single())
	defer running.Release()
	ctx := nn.Context{Tape: c.tape, Train: !strings.Contains(c.op, "eval"), Running: running}
	y := layer.Forward(ctx, x)
	running.Observe()
	c.equalTensor(c.t, c.op+"/out/y", y.Value())
	c.tape.BackwardFrom(y, c.tensor(c.t, dev, c.op+"/in/dy"))
	running.Update()
	c.equalTensor(c.t, c.op+"/grad/dx", x.Grad())
	for name, p := range params {
		if p.Grad != nil {
			c.equalTensor(c.t, c.op+"/grad/d"+name, p.Grad)
		} else {
			c.equalTensor(c.t, c.op+"/out/"+name, p.Value)
		}
	}
}

// dropChannels drops the channels that the case names.
func (c *opCase) dropChannels() {
	rate := c.setting("rate", 0.1)
	keep := bools(c.ints(c.t, c.op+"/in/keep"))
	factors := make([]float32, len(keep))
	for i, k := range keep {
		if k {
			factors[i] = float32(1 / (1 - rate))
		}
	}
	shape := append(c.shape(c.t, c.op+"/in/keep"), 1, 1)
	c.check(autograd.Mul(c.in("x"), c.tape.Own(tensor.FromSlice(c.tape.Device(), factors, shape...))))
}

// pixelCrossEntropy ignores label 255. Logits smaller than the labels are resized.
func (c *opCase) pixelCrossEntropy() {
	labels := c.int32s(c.t, c.op+"/in/labels")
	for i, l := range labels {
		if l == 255 {
			labels[i] = -1
		}
	}
	shape := c.shape(c.t, c.op+"/in/labels")
	logits := c.in("logits")
	if s := logits.Shape(); s[2] != shape[1] || s[3] != shape[2] {
		logits = autograd.ResizeBilinear(logits, shape[1], shape[2])
	}
	overAll := !strings.HasSuffix(c.op, "mean_valid")
	c.check(autograd.PixelCrossEntropy(logits, tensor.FromInts(c.tape.Device(), labels, shape...), overAll))
}
