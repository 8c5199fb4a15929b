// Command cnn trains a small convolutional network on images in folders of their class: go run ./cmd/examples/cnn cifar10.tar
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// network maps images [B, 3, 32, 32] to the scores of classes.
func network(s nn.Scope, classes int) (net nn.Sequential) {
	for in, out := 3, 32; out <= 128; in, out = out, 2*out {
		net = append(net, nn.NewConv2D(s.Index(len(net)), nn.Conv2DConfig{In: in, Out: out, Kernel: 3, Padding: 1, NoBias: true}),
			nn.NewBatchNorm(s.Index(len(net)+1), out), nn.ReLU{}, nn.MaxPool{Window: tensor.SquareWindow(2, 2, 0)})
	}
	return append(net, nn.Flatten{}, nn.NewLinear(s.Index(len(net)+1), 128*4*4, classes, nn.LibraryDefault).Module())
}

// train returns the loss of each step, and the share of the validation images that the network classifies rightly in the end.
func train(dev *tensor.Device, images *data.Source, steps int) (losses []float32, accuracy float64) {
	views := []data.View{{Size: 32, Filter: data.Bilinear, Norm: data.ImageNet}}
	training := must(data.NewLoader(images.Train, data.LoaderOptions{Batch: 100, Seed: 1, Pipeline: &data.PadCrop{Pad: 4, Views: views}}))
	validation := must(data.NewLoader(images.Val, data.LoaderOptions{Batch: 100, Sequential: true, Pipeline: &data.Eval{Whole: true, Views: views}}))
	set, tape, running := nn.NewSet(), autograd.NewTape(dev), nn.NewRunning(dist.Single())
	net := network(set.Scope(), len(images.Train.Classes()))
	set.Build(dev, 1, nn.Training)
	opt := optim.NewSGD(set, optim.SGDConfig{Momentum: 0.9, Nesterov: true, Decay: 5e-4})
	scores := func(c nn.Context, b *data.Batch) *autograd.Var {
		pixels, shape := b.Tensor("image")
		return net.Forward(c, tape.Own(tensor.FromSlice(dev, pixels, shape...)))
	}
	for epoch := 0; len(losses) < steps; epoch++ {
		for b, err := range training.Batches(context.Background(), epoch, 0) {
			if must(b, err); len(losses) == steps {
				break
			}
			set.ZeroGrad()
			y := scores(nn.Context{Tape: tape, Train: true, Running: running}, b)
			loss := autograd.CrossEntropy(y, tape.Own(tensor.FromInts(dev, b.Labels, len(b.Labels))).Value(), 0)
			tape.Backward(loss)
			running.Observe()
			opt.Step(optim.Cosine{Peak: 0.02, Warmup: 400, Total: steps}.At(len(losses)))
			running.Update() // the statistics of batch norms
			losses = append(losses, loss.Value().Item())
			tape.Reset()
		}
		fmt.Printf("epoch %d: loss %.3f\n", epoch+1, losses[len(losses)-1])
	}
	for b, err := range validation.Batches(context.Background(), 0, 0) {
		must(b, err)
		y := tape.Scope(func() *autograd.Var { return scores(nn.Context{Tape: tape}, b) })
		for i, class := range tape.Own(tensor.ArgMax(y.Value())).Value().Ints() {
			if class == b.Labels[i] {
				accuracy += 1 / float64(images.Val.Len())
			}
		}
		tape.Reset()
	}
	fmt.Printf("%.1f %% of the validation images are classified rightly\n", 100*accuracy)
	return losses, accuracy
}

// must returns v, and ends the program when there is an error.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func main() { train(tensor.CPU(), must(data.Open(append(os.Args, ".")[1], data.DefaultLimits)), 1600) }
