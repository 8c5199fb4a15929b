package tensor

import (
	"strings"
	"testing"
)

// Options and shapes that make no convolution panic with the name of the function.
func TestConvMistakes(t *testing.T) {
	dev := CPU()
	zeros := func(shape ...int) *Tensor { return Zeros(dev, shape...) }
	image, kernel := zeros(1, 4, 5, 5), zeros(2, 4, 3, 3)
	with := func(o ConvOptions) Conv2DArgs { return Conv2DArgs{X: image, W: kernel, ConvOptions: o} }
	for want, f := range map[string]func(){
		"Conv2D: [1 4 5 5] x [2 4 3 3]: stride [-1 0]":  func() { Conv2D(with(ConvOptions{Stride: [2]int{-1, 0}})) },
		"Conv2D: [1 4 5 5] x [2 4 3 3]: stride [0 0]":   func() { Conv2D(with(ConvOptions{Padding: [2]int{0, 1 << 40}})) },
		"Conv2D: [1 4 5 5] x [2 4 3 3]: -1 groups":      func() { Conv2D(with(ConvOptions{Groups: -1})) },
		"Conv2D: [1 4 5 5] x [2 4 3 3]: channels and":   func() { Conv2D(with(ConvOptions{Groups: 2})) },
		"Conv2D: [1 4 5 5] x [2 4 3 3]: the kernel is":  func() { Conv2D(with(ConvOptions{Dilation: [2]int{3, 1}})) },
		"Conv2D: [1 4 0 5] x [2 4 1 1]: the images":     func() { Conv2D(Conv2DArgs{X: zeros(1, 4, 0, 5), W: zeros(2, 4, 1, 1)}) },
		"Conv2D: [2 4 0 3]: the sides":                  func() { Conv2D(Conv2DArgs{X: image, W: zeros(2, 4, 0, 3)}) },
		"Conv2D: [4 5 5] x [2 4 3 3]: want images":      func() { Conv2D(Conv2DArgs{X: zeros(4, 5, 5), W: kernel}) },
		"Conv2D: [1 2 3 3]: there is no y":              func() { Conv2D(Conv2DArgs{X: image, W: kernel, Add: true}) },
		"Conv2D: [1 2 4 3] x [1 2 3 3]: y has":          func() { Conv2D(Conv2DArgs{Y: zeros(1, 2, 4, 3), X: image, W: kernel}) },
		"ConvTranspose2D: [1 4 5 5] x [2 4 3 3]: chann": func() { ConvTranspose2D(with(ConvOptions{})) },
		"ConvTranspose2D: [1 2 1 1] x [2 4 3 3]: the r": func() {
			ConvTranspose2D(Conv2DArgs{X: zeros(1, 2, 1, 1), W: kernel, ConvOptions: ConvOptions{Padding: [2]int{2, 2}}})
		},
	} {
		if got := recovered(f); !strings.HasPrefix(got, "tensor: "+want) {
			t.Errorf("got  %s\nwant %s…", got, want)
		}
	}
}

// Scratch memory of a convolution is bounded by its kernels and a tile, whatever the image, and the planner counts the same.
func TestConvScratchMemory(t *testing.T) {
	const side, channels = 384, 16
	for _, stride := range []int{1, 2} {
		o := ConvOptions{Padding: [2]int{1, 1}, Stride: [2]int{stride, stride}}
		h, w := o.OutputSize(side, side, 3, 3)
		var peaks []int64
		for _, dev := range []*Device{newDevice(), NewPlanner()} {
			x, kernels, bias := Zeros(dev, 1, channels, side, side), Zeros(dev, channels, channels, 3, 3), Zeros(dev, channels)
			y, dx, dw, db := Zeros(dev, 1, channels, h, w), Zeros(dev, 1, channels, side, side), Zeros(dev, channels, channels, 3, 3), Zeros(dev, channels)
			held := dev.MemStats().InUse
			Conv2D(Conv2DArgs{Y: y, X: x, W: kernels, Bias: bias, ConvOptions: o})
			Conv2DGrad(Conv2DGradArgs{DX: Grad{To: dx}, DW: Grad{To: dw}, DBias: Grad{To: db}, DY: y, X: x, W: kernels, ConvOptions: o})
			peaks = append(peaks, dev.MemStats().Peak-held)
		}
		if most := int64(sizeClass(4*max(convTile, channels*channels*9)) + 1024); peaks[0] > most {
			t.Errorf("stride %d takes %d bytes of scratch memory, want at most %d", stride, peaks[0], most)
		}
		if peaks[0] != peaks[1] {
			t.Errorf("stride %d takes %d bytes of scratch memory, the planner says %d", stride, peaks[0], peaks[1])
		}
	}
}
