package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/dist"
)

func TestLaunched(t *testing.T) {
	for _, c := range []struct {
		env  string // NAME=VALUE of a launcher
		want int
	}{
		{"", 1},
		{"OMPI_COMM_WORLD_SIZE=8", 8}, // mpirun of Open MPI
		{"PMI_SIZE=3", 3},             // mpirun of MPICH
		{"PMIX_RANK=0 SLURM_STEP_NUM_TASKS=4", 4},    // srun --mpi=pmix
		{"PMIX_RANK=0 SLURM_NTASKS=16", 16},          // the same of older versions
		{"SLURM_NTASKS=16", 1},                       // a shell of salloc
		{"OMPI_COMM_WORLD_SIZE=2 SLURM_NTASKS=9", 2}, // mpirun inside it
	} {
		got := launched(func(name string) string {
			for _, kv := range strings.Fields(c.env) {
				if key, value, _ := strings.Cut(kv, "="); key == name {
					return value
				}
			}
			return ""
		})
		if got != c.want {
			t.Errorf("%q: %d processes, want %d", c.env, got, c.want)
		}
	}
}

// Processes that cannot train together are told so, each in one line.
func TestLaunchedRefused(t *testing.T) {
	begin := beginMPI
	defer func() { beginMPI = begin }()
	beginMPI = nil
	t.Setenv("OMPI_COMM_WORLD_SIZE", "2")
	for args, want := range map[string]string{
		"tokenizer train --data procedural:20": "built without MPI",
		"predict model image.jpg":              "are shared",
		"quickstart":                           "are shared",
	} {
		status, out, errOut := beitRun(t, strings.Fields(args)...)
		if status != statusUsage || out != "" || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, want) {
			t.Errorf("%s: status %d, output %q, error %q", args, status, out, errOut)
		}
	}
}

// transport is that of one process of a group that never meets.
type transport struct {
	member
	rank int
}

func (t transport) Rank() int { return t.rank }
func (t transport) Size() int { return 2 }

// One process says why a run ended, with its rank; what follows from it in the others is not said again.
func TestTold(t *testing.T) {
	left := fmt.Errorf("dist: rank 0 %w", dist.ErrClosed)
	for _, c := range []struct {
		rank int
		err  error
		want string
	}{
		{1, errors.New("disk"), "rank 1: disk"}, {1, left, "<nil>"}, {1, train.ErrInterrupted, "<nil>"},
		{0, train.ErrInterrupted, "rank 0: interrupted"}, {0, left, "rank 0: dist: rank 0 has left the group"},
	} {
		a := &app{group: dist.Over(transport{rank: c.rank})}
		if got := fmt.Sprint(a.told(c.err)); got != c.want {
			t.Errorf("rank %d, %v: %s, want %s", c.rank, c.err, got, c.want)
		}
	}
	if a := (&app{group: dist.Single()}); a.told(left) != left {
		t.Error("a process alone tells a rank")
	}
}
