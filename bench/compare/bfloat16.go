package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// torchProduct multiplies in PyTorch.
//
//go:embed torch_product.py
var torchProduct string

// compareMedium writes a table of products at precision medium, from float32 to float32, beside PyTorch's of bfloat16, which is oneDNN's.
func compareMedium(page *bytes.Buffer, torch *pyTorch, rounds, maxThreads int) error {
	if !tensor.CPU().Supports("MatMul", tensor.Medium) {
		fmt.Fprintf(page, "\nLevel %s has no matmuls in bfloat16.\n", level())
		return nil
	}
	fmt.Fprint(page, "\n### Matmuls in bfloat16\n\nGFLOP/s. Sums are float32 on both sides; gobeit's factors and results are float32, PyTorch's bfloat16.\n\n")
	process, err := startTorch(torch)
	if err != nil {
		return err
	}
	defer process.stop()
	fmt.Fprint(page, "| threads | layer | M x N x K | gobeit, medium | of peak | PyTorch | times as fast |\n|---|---|---|---|---|---|---|\n")
	core := bench.Peak(tensor.CPU(), tensor.Medium) / 1e9
	for threads := 1; threads <= maxThreads; threads++ {
		tensor.SetThreads(threads)
		for _, p := range products {
			ours, theirs, err := p.measureMedium(rounds, threads, process)
			if err != nil {
				return err
			}
			fmt.Fprintf(page, "| %d | %s | %d x %d x %d | %.1f | %.0f %% | %.1f | %.2f |\n",
				threads, p.name, p.m, p.n, p.k, ours, 100*ours/(core*float64(threads)), theirs, ours/theirs)
		}
	}
	return nil
}

// measureMedium returns the median speed of both sides in GFLOP/s.
func (p product) measureMedium(rounds, threads int, torch *torchProcess) (ours, theirs float64, err error) {
	dev := tensor.CPU()
	x, w, y := tensor.FromSlice(dev, values(1, p.m*p.k), p.m, p.k), tensor.FromSlice(dev, values(2, p.n*p.k), p.n, p.k), tensor.New(dev, p.m, p.n)
	defer x.Release()
	defer w.Release()
	defer y.Release()
	var us, them []time.Duration
	for range rounds {
		us = append(us, timed(func() { tensor.MatMulInto(y, x, w.T(), false, tensor.Medium) }))
		took, err := torch.measure(p, threads)
		if err != nil {
			return 0, 0, err
		}
		them = append(them, took)
	}
	return p.speed(us), p.speed(them), nil
}

// torchProcess is a running torch_product.py.
type torchProcess struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startTorch(torch *pyTorch) (*torchProcess, error) {
	t := &torchProcess{command: torch.command(torchProduct)}
	var err error
	if t.in, err = t.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.out = bufio.NewReader(out)
	return t, t.command.Start()
}

// measure lets it multiply once in full swing.
func (t *torchProcess) measure(p product, threads int) (time.Duration, error) {
	fmt.Fprintln(t.in, threads, p.m, p.n, p.k) // an error shows in what it answers
	var seconds float64
	if _, err := fmt.Fscanln(t.out, &seconds); err != nil {
		return 0, fmt.Errorf("PyTorch's product %s: %w", p.name, err)
	}
	return time.Duration(seconds * 1e9), nil
}

func (t *torchProcess) stop() {
	t.in.Close()
	t.command.Wait() // how it ended says nothing more
}
