package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
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

// torchStep is the same step in PyTorch.
//
//go:embed torch_mim.py
var torchStep string

// stepThreads is how many threads the steps run on.
const stepThreads = 2

// step is what a process that runs training steps and forward passes, and nothing else, found out.
type step struct {
	Train, Forward float64 // images a second
	Memory         float64 // largest resident set before the forward passes, GB
}

// compareSteps writes a table of the pretraining step of a ViT-B/16 with patch aggregation on given codes, each side in processes of its own.
func compareSteps(page *bytes.Buffer, rounds int, python string) error {
	fmt.Fprintf(page, "\n## Pretraining step of a ViT-B/16\n\nForward, backward, clipping, AdamW on given codes; batch 8 of 224 x 224, patch aggregation, %d threads. "+
		"Images per second and the largest resident set in GB. PyTorch's counterpart of medium is autocast to bfloat16.\n\n", stepThreads)
	fmt.Fprintln(page, "| gobeit | step | forward | GB | PyTorch | step | forward | GB | step, times as fast | forward | memory, times as much |\n|---|---|---|---|---|---|---|---|---|---|---|")
	for _, p := range []struct{ ours, theirs string }{{"highest", "fp32"}, {"high", "fp32"}, {"medium", "bf16"}} {
		us, err := ourStep(p.ours, rounds)
		if err != nil {
			return err
		}
		fmt.Fprintf(page, "| %s | %.2f | %.2f | %.2f |", p.ours, us.Train, us.Forward, us.Memory)
		them, version, err := pyTorchStep(python, p.theirs, rounds)
		if err != nil {
			fmt.Fprintf(page, " %v | | | | | | |\n", err)
			continue
		}
		fmt.Fprintf(page, " %s, %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |\n",
			version, p.theirs, them.Train, them.Forward, them.Memory, us.Train/them.Train, us.Forward/them.Forward, us.Memory/them.Memory)
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
		kind string
		to   *float64
	}{{"MIMStep", &s.Train}, {"MIMForward", &s.Forward}} {
		name := fmt.Sprintf("%s/preset=base_300e/codes=given/batch=8/precision=%s", part.kind, precision)
		for _, c := range bench.Suite() {
			if c.Name != name {
				continue
			}
			r, err := bench.Measure(context.Background(), tensor.CPU(), c, rounds)
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
var torchLine = regexp.MustCompile(`(PyTorch [^ ,]+), .*: step ([0-9.]+), forward ([0-9.]+) images/s, peak RSS ([0-9.]+) GB`)

// pyTorchStep runs torch_mim.py.
func pyTorchStep(python, precision string, rounds int) (s step, version string, err error) {
	words := append(strings.Fields(python), "-", precision, strconv.Itoa(stepThreads), strconv.Itoa(rounds))
	command := exec.Command(words[0], words[1:]...)
	command.Stdin = strings.NewReader(torchStep)
	text, err := command.CombinedOutput()
	m := torchLine.FindStringSubmatch(string(text))
	if m == nil {
		if strings.Contains(string(text), "No module named") || errors.Is(err, exec.ErrNotFound) {
			return s, "", errors.New("PyTorch is not installed")
		}
		return s, "", fmt.Errorf("PyTorch failed: %w", err)
	}
	for i, to := range []*float64{&s.Train, &s.Forward, &s.Memory} {
		if *to, err = strconv.ParseFloat(m[i+2], 64); err != nil {
			return s, "", err
		}
	}
	return s, m[1], nil
}
