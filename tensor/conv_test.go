package tensor

import (
	"math"
	"runtime"
	"slices"
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
		"Conv2D: [1 4 5 5] x [2 4 3 3]: stride [0 0]":   func() { Conv2D(with(ConvOptions{Padding: [2]int{0, 1 << 25}})) },
		"Conv2D: [1 4 5 5] x [2 4 3 3]: -1 groups":      func() { Conv2D(with(ConvOptions{Groups: -1})) },
		"Conv2D: [1 4 5 5] x [2 4 3 3]: 5 groups of 4":  func() { Conv2D(with(ConvOptions{Groups: 5})) },
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

// Scratch memory of a convolution is bounded by its kernels and a tile or a band, whatever the image, and the planner counts the same.
func TestConvScratchMemory(t *testing.T) {
	const side, channels = 224, 16
	for _, c := range []struct {
		stride, tile int
		precision    Precision
	}{{1, 0, Highest}, {2, convTile, Highest}, {1, convBand, Medium}} {
		o := ConvOptions{Padding: [2]int{1, 1}, Stride: [2]int{c.stride, c.stride}}
		h, w := o.OutputSize(side, side, 3, 3)
		var peaks []int64
		for _, dev := range []*Device{newDevice(), NewPlanner()} {
			x, kernels, bias := Zeros(dev, 1, channels, side, side), Zeros(dev, channels, channels, 3, 3), Zeros(dev, channels)
			y, dx, dw, db := Zeros(dev, 1, channels, h, w), Zeros(dev, 1, channels, side, side), Zeros(dev, channels, channels, 3, 3), Zeros(dev, channels)
			held := dev.MemStats().InUse
			Conv2D(Conv2DArgs{Y: y, X: x, W: kernels, Bias: bias, ConvOptions: o, Precision: c.precision})
			Conv2DGrad(Conv2DGradArgs{
				DX: Grad{To: dx}, DW: Grad{To: dw}, DBias: Grad{To: db}, DY: y, X: x, W: kernels, ConvOptions: o, Precision: c.precision,
			})
			peaks = append(peaks, dev.MemStats().Peak-held)
			runtime.KeepAlive([]*Tensor{x, kernels, bias, y, dx, dw, db}) // what is collected before would make room
		}
		if most := int64(sizeClass(4*c.tile) + 4*sizeClass(4*channels*channels*9)); peaks[0] > most {
			t.Errorf("stride %d at %v takes %d bytes of scratch memory, want at most %d", c.stride, c.precision, peaks[0], most)
		}
		if peaks[0] != peaks[1] {
			t.Errorf("stride %d at %v takes %d bytes of scratch memory, the planner says %d", c.stride, c.precision, peaks[0], peaks[1])
		}
	}
}

// An image whose rounded rows do not exist at once gives the bytes of its parts.
func TestConvBands(t *testing.T) {
	const channels, h, w = 64, 160, 1024
	const band = convBand/(channels/2*w) - 2 // rows of places
	if band < 20 || band > h-20 {
		t.Fatalf("a band has %d rows, which does not cut the image", band)
	}
	pixels := make([]float32, channels*h*w)
	for i := range pixels { // random ones take longer than the convolution
		pixels[i] = float32(i%9973)/9973 - 0.5
	}
	for _, level := range CPULevels() {
		dev := CPULevel(level)
		if !dev.Supports("Conv2D", Medium) {
			continue
		}
		x, kernels := FromSlice(dev, pixels, 1, channels, h, w), randomized(dev, 2, 2, channels, 3, 3)
		conv := func(x *Tensor) *Tensor {
			return Conv2D(Conv2DArgs{X: x, W: kernels, ConvOptions: ConvOptions{Padding: [2]int{1, 1}}, Precision: Medium})
		}
		whole, part := conv(x), conv(x.Slice(2, band-10, band+10))
		if !slices.Equal(whole.Slice(2, band-9, band+9).Float32s(), part.Slice(2, 1, 19).Float32s()) {
			t.Errorf("%s: rows at the end of a band differ", level)
		}
	}
}

// The gradient of images that is made in tiles of channels and of places is the adjoint of the convolution: Σ dy·conv(x) = Σ dx·x.
func TestConvTiles(t *testing.T) {
	dev := CPU()
	o := ConvOptions{Stride: [2]int{2, 2}, Padding: [2]int{1, 1}}
	x, kernels, dy := randomized(dev, 1, 1, 460, 33, 33), randomized(dev, 2, 8, 460, 3, 3), randomized(dev, 3, 1, 8, 17, 17)
	if channels, places := newConv(x.shape, kernels.shape, dy.shape, o.withDefaults()).tile(); channels >= 460 || places >= 17*17 {
		t.Fatalf("a tile has %d channels and %d places, which cuts nothing", channels, places)
	}
	dx := New(dev, x.shape...)
	Conv2DGrad(Conv2DGradArgs{DX: Grad{To: dx}, DY: dy, X: x, W: kernels, ConvOptions: o})
	for channel := range 460 { // of each channel alone
		in, weights := x.Slice(1, channel, channel+1), kernels.Slice(1, channel, channel+1)
		want := dot(dy.Float32s(), Conv2D(Conv2DArgs{X: in, W: weights, ConvOptions: o}).Float32s())
		if got := dot(dx.Slice(1, channel, channel+1).Float32s(), in.Float32s()); math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
			t.Fatalf("channel %d: Σ dx·x is %g, Σ dy·y is %g", channel, got, want)
		}
	}
}

// dot is the dot product in float64.
func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
