// Command chars trains a small causal transformer to write a text on, character by character: go run ./cmd/examples/chars <CONTRIBUTING.md
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

const batch, length, width = 16, 64, 64 // pieces of text in a batch, characters in one, size of a character's vector

// network scores what follows each character: it maps texts, Int32 [B, N], to [B, N, 256].
func network(s nn.Scope) nn.Sequential {
	small := nn.TruncNormal(0.1, -1, 1)
	chars, places := nn.NewEmbedding(s.Sub("chars"), 256, width, small), s.Param("places", small, length, width)
	net := nn.Sequential{nn.Func(func(c nn.Context, x *autograd.Var) *autograd.Var {
		return autograd.Add(chars.Forward(c, x.Value()), autograd.Slice(places.Var(c.Tape), 0, 0, x.Shape()[1]))
	})}
	for i := 1; i <= 2; i++ {
		net = append(net, nn.NewBlock(s.Index(i), nn.BlockConfig{
			Width: width, Heads: 4, Hidden: 4 * width, QKVBias: true, Causal: true, Eps: 1e-5, Depth: i, Init: nn.LibraryDefault,
		}).Module())
	}
	return append(net, nn.NewLayerNorm(s.Index(3), width, 1e-5), nn.NewLinear(s.Index(4), width, 256, nn.LibraryDefault).Module())
}

// train fits a network to a text, and then writes so many characters of its own. It returns the loss of each step.
func train(out io.Writer, text []byte, steps, write int) (losses []float32) {
	dev, set, r := tensor.CPU(), nn.NewSet(), tensor.NewRand(1)
	net, tape := network(set.Scope()), autograd.NewTape(dev)
	set.Build(dev, 1, nn.Training)
	opt := optim.NewAdamW(set, optim.DefaultAdamW())
	schedule := optim.Warmup{Schedule: optim.Linear{From: 3e-3, Total: steps}, Steps: 50}
	for step := range steps {
		var in, next []int32
		for range batch {
			at := r.IntN(len(text) - length)
			for i := at; i < at+length; i++ {
				in, next = append(in, int32(text[i])), append(next, int32(text[i+1]))
			}
		}
		set.ZeroGrad()
		scores := net.Forward(nn.Context{Tape: tape, Train: true}, tape.Own(tensor.FromInts(dev, in, batch, length)))
		loss := autograd.CrossEntropy(scores, tape.Own(tensor.FromInts(dev, next, batch*length)).Value(), 0)
		tape.Backward(loss)
		opt.Step(schedule.At(step))
		if losses = append(losses, loss.Value().Item()); step%200 == 0 || step == steps-1 {
			fmt.Fprintf(out, "step %d: loss %.3f\n", step, losses[step])
		}
		tape.Reset()
	}
	for seen := []int32{'\n'}; write > 0; write-- {
		seen = seen[max(0, len(seen)-length):]
		scores := net.Forward(nn.Context{Tape: tape}, tape.Own(tensor.FromInts(dev, seen, 1, len(seen))))
		p := autograd.Softmax(scores).Value().Float32s()[256*(len(seen)-1):] // of each character to follow
		tape.Reset()
		char := 0
		for at := r.Float64() - float64(p[0]); at > 0 && char < 255; at -= float64(p[char]) {
			char++
		}
		fmt.Fprintf(out, "%s", []byte{byte(char)})
		seen = append(seen, int32(char))
	}
	return losses
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil || len(text) <= length {
		log.Fatalf("want a text of more than %d bytes, read %d (error %v)", length, len(text), err)
	}
	train(os.Stdout, text, 2000, 500)
}
