package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// member is this process among those that a launcher started together.
type member interface {
	dist.Transport
	LocalRank() int  // among those on this machine
	Library() string // that moves bytes between them
}

// beginMPI joins the processes that a launcher of MPI started; nil in a program that is built without MPI.
var beginMPI func(timeout time.Duration) (member, error)

// commandsTogether are the commands that several processes do together.
var commandsTogether = []string{"tokenizer train", "pretrain", "finetune", "segment train", "embed", "tokenizer encode", "devices", "version"}

// launched is the number of processes that a launcher of MPI started together, by the environment; 1 without a launcher.
func launched(getenv func(name string) string) int {
	for _, name := range []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"} { // of Open MPI; of MPICH and its relatives
		if n, err := strconv.Atoi(getenv(name)); err == nil {
			return n
		}
	}
	if getenv("PMIX_RANK") != "" { // srun --mpi=pmix
		if n, err := strconv.Atoi(cmp.Or(getenv("SLURM_STEP_NUM_TASKS"), getenv("SLURM_NTASKS"))); err == nil {
			return n
		}
	}
	return 1
}

// join makes this process one of those that train together, where a launcher started several.
func (a *app) join(command string, timeout time.Duration) error {
	a.group = dist.Single()
	n := launched(os.Getenv)
	command, _, _ = strings.Cut(command, " <") // its arguments
	switch {
	case n <= 1:
		return nil
	case !slices.Contains(commandsTogether, command):
		return usagef("beit %s was started as %d processes, which would all do the same: trainings, embed and tokenizer encode are shared", command, n)
	case beginMPI == nil:
		return usagef("started as %d processes, and this program is built without MPI: build it with -tags mpi, or -tags mpi,mpich for MPICH", n)
	case timeout <= 0:
		return usagef("--dist-timeout %v: must be above 0", timeout)
	}
	m, err := beginMPI(timeout)
	if err != nil {
		return err
	}
	if m.Size() != n {
		return fmt.Errorf("the launcher started %d processes, and the MPI library knows %d: launcher and library must belong together (%s)", n, m.Size(), m.Library())
	}
	a.group, a.member = dist.Over(m), m
	if a.follows() {
		a.out = &stream{w: io.Discard}
	}
	return nil
}

// follows says whether another process of the group writes the run folder and tells of it.
func (a *app) follows() bool { return a.group.Rank() > 0 }

// written is the name of the file that this process writes: none where that of rank 0 writes it.
func (a *app) written(name string) string {
	if a.follows() {
		return ""
	}
	return name
}

// told is what this process of a group says of the error that ended it; nil where another one says it.
func (a *app) told(err error) error {
	switch {
	case a.group.Size() == 1:
		return err
	case a.follows() && (errors.Is(err, dist.ErrClosed) || errors.Is(err, train.ErrInterrupted)):
		return nil
	}
	return fmt.Errorf("rank %d: %w", a.group.Rank(), err)
}

// ownGPU is the name of the GPU that this process takes where several are started and --device is vulkan: that of its number on this machine.
func (a *app) ownGPU(ctx context.Context, device string) (string, error) {
	if a.group.Size() == 1 || device != "vulkan" {
		return device, nil
	}
	infos, err := vulkan.Devices(ctx)
	if err != nil {
		return "", err
	}
	var gpus []int
	for _, i := range infos {
		if i.Unusable == "" && i.Kind != "cpu" {
			gpus = append(gpus, i.Index)
		}
	}
	at := a.member.LocalRank()
	if at >= len(gpus) {
		return "", fmt.Errorf("process %d of this machine finds %d GPUs: start as many processes as there are GPUs, or name one for all with --device vulkan:N", at, len(gpus))
	}
	return fmt.Sprintf("vulkan:%d", gpus[at]), nil
}

// gathered prints what f prints in each process, after a line about the process, in the process of rank 0.
func (a *app) gathered(f func(w io.Writer) error) error {
	if a.group.Size() == 1 {
		return f(a.out)
	}
	var text bytes.Buffer
	host, _ := os.Hostname()
	fmt.Fprintf(&text, "rank %d of %d, process %d on %s, computes on %s\n", a.group.Rank(), a.group.Size(), a.member.LocalRank(), host, a.dev.Name())
	failed := f(&text)
	all, err := a.group.Gather(text.Bytes())
	for _, theirs := range all {
		if _, err := a.out.Write(theirs); err != nil {
			return err
		}
	}
	return cmp.Or(failed, err)
}

// follower tells the warnings of a process that does not write the run folder.
type follower struct {
	train.Silent
	w    io.Writer
	rank int
}

// Warning prints one line.
func (f follower) Warning(text string) { fmt.Fprintf(f.w, "rank %d: warning: %s\n", f.rank, text) }
