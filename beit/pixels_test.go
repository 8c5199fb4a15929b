package beit_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// perceptual looks through a network of three blocks, of images of 16 in 4 x 4 patches.
func perceptual(t *testing.T) (*beit.DINO, *beit.Perceptual) {
	t.Helper()
	c := beit.DINOShape(tinyViT())
	c.Depth = 3
	set := nn.NewSet()
	net := beit.NewDINO(set.Scope(), c)
	set.Build(tensor.CPU(), 3, nn.Inference)
	t.Cleanup(set.Release)
	return net, beit.NewPerceptual(net, c.Depth, beit.ImageNetMean, beit.ImageNetStd)
}

// TestPerceptual compares with float64: squared distances of unit vectors, over all three blocks, none of them twice.
func TestPerceptual(t *testing.T) {
	net, p := perceptual(t)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape, Train: true}
	a := tape.Own(tensor.FromSlice(tensor.CPU(), testImages(2, 16), 2, 3, 16, 16))
	b := autograd.Affine(a, -1, 1)
	got := float64(p.Loss(c, a, b.Value()).Value().Item())
	want, rows := 0.0, 0
	blocks := func(x *autograd.Var) []*autograd.Var {
		return net.AllBlocks(c, tape.Own(beit.Normalize(x.Value(), beit.ImageNetMean, beit.ImageNetStd)))
	}
	of, to := blocks(a), blocks(b)
	for i := range of {
		d := of[i].Shape()[2]
		x, y := of[i].Value().Float32s(), to[i].Value().Float32s()
		for at := 0; at < len(x); at += d {
			if at/d%17 == 0 { // the class token
				continue
			}
			var xx, yy, xy float64
			for k := at; k < at+d; k++ {
				u, v := float64(x[k]), float64(y[k])
				xx, yy, xy = xx+u*u, yy+v*v, xy+u*v
			}
			want += 2 - 2*xy/math.Sqrt(xx*yy)
			rows++
		}
	}
	if want /= float64(rows); math.Abs(got-want) > 1e-5 || want < 1e-3 {
		t.Errorf("loss %g, want %g", got, want)
	}
	if same := p.Loss(c, a, a.Value()).Value().Item(); math.Abs(float64(same)) > 1e-5 {
		t.Errorf("loss %g of equal images", same)
	}
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "beit: Perceptual: rebuilt [2 3 16 16] for images [1 3 16 16]") {
			t.Errorf("panic %q", got)
		}
	}()
	p.Loss(c, a, tensor.Zeros(tensor.CPU(), 1, 3, 16, 16))
}

// Pixels of patches are those that they were cut from, and gradients of both parts are those of central differences.
func TestPixelLoss(t *testing.T) {
	_, p := perceptual(t)
	l := beit.PixelLoss{PixelTeacher: beit.PixelTeacher{Patch: 4}, Perceptual: p, Weight: 0.5}
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	images := tensor.FromSlice(tensor.CPU(), testImages(1, 16), 1, 3, 16, 16)
	right := tape.Own(l.Features(c, images))
	if got := right.Shape(); !got.Equal(tensor.Shape{1, 16, l.Dim()}) {
		t.Fatalf("features %v", got)
	}
	if r := l.Of(c, right, images); math.Abs(float64(r.Loss.Value().Item())) > 1e-5 {
		t.Errorf("loss %g of the right pixels", r.Loss.Value().Item())
	}
	off := autograd.Affine(right, 1, 0.5)
	r := l.Of(c, off, images)
	pixels, whole := r.Pixels.Value().Item(), r.Loss.Value().Item()
	if math.Abs(float64(pixels)-0.25) > 1e-5 || math.Abs(float64(whole-pixels-0.5*r.Perceptual.Value().Item())) > 1e-6 {
		t.Errorf("pixels %g, perceptual %g, whole %g", pixels, r.Perceptual.Value().Item(), whole)
	}
	err := autograd.CheckGradients(tensor.CPU(), 2e-2, func(in []*autograd.Var) *autograd.Var {
		return l.Of(nn.Context{Tape: in[0].Tape()}, in[0], images).Loss
	}, off.Value().Clone())
	if err != nil {
		t.Error(err)
	}
}
