package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// torchProduct multiplies in PyTorch.
//
//go:embed torch_product.py
var torchProduct string

// compareMedium writes a table of products at precision medium, from float32 to float32, beside PyTorch's of bfloat16, which is oneDNN's.
func compareMedium(page *bytes.Buffer, rounds, maxThreads int, python string) error {
	fmt.Fprint(page, "\n## Matmuls in bfloat16\n\nGFLOP/s. Sums are float32 on both sides; gobeit's factors and results are float32, PyTorch's bfloat16.\n\n")
	torch, err := startTorch(python)
	if err != nil {
		fmt.Fprintf(page, "%v\n", err)
		return nil
	}
	defer torch.stop()
	fmt.Fprintf(page, "| threads | layer | M x N x K | gobeit, medium | of peak | PyTorch %s | times as fast |\n|---|---|---|---|---|---|---|\n", torch.version)
	core := tensor.CoreFLOPs(tensor.CPU(), tensor.Medium) / 1e9
	for threads := 1; threads <= maxThreads; threads++ {
		tensor.SetThreads(threads)
		for _, p := range products {
			ours, theirs, err := p.measureMedium(rounds, threads, torch)
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
	version string
}

// startTorch fails where there is no PyTorch.
func startTorch(python string) (*torchProcess, error) {
	words := append(strings.Fields(python), "-c", torchProduct)
	t := &torchProcess{command: exec.Command(words[0], words[1:]...)}
	var err error
	if t.in, err = t.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.command.Start(); err != nil {
		return nil, fmt.Errorf("PyTorch does not run: %w", err)
	}
	t.out = bufio.NewReader(out)
	if t.version, err = t.out.ReadString('\n'); err != nil {
		t.stop()
		return nil, errors.New("PyTorch is not installed")
	}
	t.version = strings.TrimSpace(t.version)
	return t, nil
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
