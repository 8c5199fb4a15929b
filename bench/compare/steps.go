package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// torchMIM is the same step in PyTorch.
//
//go:embed torch_mim.py
var torchMIM string

// stepThreads is how many threads the steps run on.
const stepThreads = 2

// step is what a process that runs training steps and forward passes, and nothing else, found out.
type step struct {
	Train, Forward float64 // images a second
	Memory         float64 // largest resident set before the forward passes, GB
}

// compareSteps writes a table of the pretraining step of a ViT-B/16 with patch aggregation on given codes, each side in processes of its own.
func compareSteps(page *bytes.Buffer, torch *pyTorch, rounds int) error {
	fmt.Fprintf(page, "\n### Pretraining step of a ViT-B/16\n\nForward, backward, clipping, AdamW on given codes; batch 8 of 224 x 224, patch aggregation, %d threads. "+
		"Images per second and the largest resident set in GB. PyTorch's counterpart of medium is autocast to bfloat16.\n\n", stepThreads)
	void := torch.BLAS.void(level())
	if void != "" {
		fmt.Fprintf(page, "Void in float32: %s.\n\n", void)
	}
	fmt.Fprintln(page, "| gobeit | step | forward | GB | PyTorch | step | forward | GB | step, times as fast | forward | memory, times as much |\n|---|---|---|---|---|---|---|---|---|---|---|")
	for _, p := range []struct {
		ours   tensor.Precision
		theirs string
	}{{tensor.Highest, "fp32"}, {tensor.High, "fp32"}, {tensor.Medium, "bf16"}} {
		if p.ours != tensor.Highest && !tensor.CPU().Supports("MatMul", p.ours) {
			continue
		}
		us, err := ourStep(p.ours.String(), rounds)
		if err != nil {
			return err
		}
		them, err := torchStep(torch, p.theirs, rounds)
		if err != nil {
			return err
		}
		fmt.Fprintf(page, "| %s | %.2f | %.2f | %.2f | %s | %.2f | %.2f | %.2f |",
			p.ours, us.Train, us.Forward, us.Memory, p.theirs, them.Train, them.Forward, them.Memory)
		if void != "" && p.theirs == "fp32" {
			fmt.Fprint(page, " void | void |")
		} else {
			fmt.Fprintf(page, " %.2f | %.2f |", us.Train/them.Train, us.Forward/them.Forward)
		}
		fmt.Fprintf(page, " %.2f |\n", us.Memory/them.Memory)
	}
	return nil
}

// ourStep runs this program as a child.
func ourStep(precision string, rounds int) (s step, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	command := exec.Command(self, "-rounds", strconv.Itoa(rounds), "-child", precision)
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return s, fmt.Errorf("step at %s: %w", precision, err)
	}
	return s, json.Unmarshal(text, &s)
}

// stepChild is what the child does.
func stepChild(precision string, rounds int) error {
	tensor.SetThreads(stepThreads)
	var s step
	for _, part := range []struct {
		pass string
		to   *float64
	}{{"", &s.Train}, {"pass=forward/", &s.Forward}} {
		name := fmt.Sprintf("TrainStep/model=mim/codes=given/%spreset=base_300e/batch=8/precision=%s/", part.pass, precision)
		for _, c := range bench.Suite(tensor.CPU()) {
			if !strings.HasPrefix(c.Name(), name) {
				continue
			}
			r, err := bench.Measure(context.Background(), c, rounds)
			if err != nil {
				return err
			}
			*part.to = r.Images
		}
		if *part.to == 0 {
			return fmt.Errorf("no case %s", name)
		}
		if s.Memory == 0 {
			var use syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
				return err
			}
			s.Memory = float64(use.Maxrss) * 1024 / 1e9
		}
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

// torchLine is what torch_mim.py prints.
var torchLine = regexp.MustCompile(`: step ([0-9.]+), forward ([0-9.]+) images/s, peak RSS ([0-9.]+) GB`)

// torchStep runs torch_mim.py.
func torchStep(torch *pyTorch, precision string, rounds int) (s step, err error) {
	text, err := torch.command(torchMIM, precision, strconv.Itoa(stepThreads), strconv.Itoa(rounds)).CombinedOutput()
	m := torchLine.FindStringSubmatch(string(text))
	if m == nil {
		return s, fmt.Errorf("PyTorch's step at %s: %w: %s", precision, err, text)
	}
	for i, to := range []*float64{&s.Train, &s.Forward, &s.Memory} {
		if *to, err = strconv.ParseFloat(m[i+1], 64); err != nil {
			return s, err
		}
	}
	return s, nil
}
