//go:build mpi && unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/dist/mpi"
	"github.com/gobeit/gobeit/tensor"
)

// jobTime is how long a job of these tests may take.
const jobTime = 3 * time.Minute

// job is a command that the launcher starts as several processes.
type job struct {
	*exec.Cmd
	errOut bytes.Buffer
	mark   string // in the environment of its processes
}

func newJob(t *testing.T, n int, args ...string) *job {
	t.Helper()
	if _, err := exec.LookPath(mpi.Launcher); err != nil {
		t.Skipf("%s is not installed", mpi.Launcher)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	launcher := []string{"-np", strconv.Itoa(n), self, "--threads", "1"}
	if strings.Contains(mpi.Launcher, "openmpi") {
		launcher = append([]string{"--allow-run-as-root", "--oversubscribe"}, launcher...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), jobTime)
	t.Cleanup(cancel)
	j := &job{Cmd: exec.CommandContext(ctx, mpi.Launcher, append(launcher, args...)...), mark: "BEIT_TEST_JOB=" + t.TempDir()}
	j.Env = append(os.Environ(), "BEIT_TEST_COMMAND=1", "UCX_ERROR_SIGNALS=", j.mark)
	j.Stderr = &j.errOut
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("standard error:\n%s", j.errOut.String())
		}
	})
	return j
}

// pid is the process of a rank: the one whose environment says so.
func (j *job) pid(t *testing.T, rank int) int {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range files {
		text, _ := os.ReadFile(name)
		env := strings.Split(string(text), "\x00")
		has := map[string]bool{}
		for _, kv := range env {
			has[kv] = true
		}
		if has[j.mark] && (has[fmt.Sprint("OMPI_COMM_WORLD_RANK=", rank)] || has[fmt.Sprint("PMI_RANK=", rank)]) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			return pid
		}
	}
	t.Fatalf("no process of rank %d", rank)
	return 0
}

// trainTogether are the arguments of a short training, with as many micro-batches as four processes take.
func trainTogether(dir string, more ...string) []string {
	args := []string{"tokenizer", "train", "--data", "procedural:64", "--val-fraction", "0.25", "--out", dir, "--precision", "highest"}
	return append(append(args, tiny...), append([]string{"--accumulation-steps", "4"}, more...)...)
}

// A launcher's processes leave the bytes of as many members of a group in one process, whose figures are those of a process alone: see package train.
func TestTogether(t *testing.T) {
	for _, n := range []int{2, 4} {
		dir := filepath.Join(t.TempDir(), "run")
		j := newJob(t, n, trainTogether(dir)...)
		if err := j.Run(); err != nil {
			t.Fatal(err)
		}
		got, want := leftIn(t, dir), leftIn(t, trainLocally(t, dir, n))
		for name, text := range want {
			if got[name] != text {
				t.Errorf("%d processes of %s: %s is not that of dist.Local", n, mpi.Launcher, name)
			}
		}
	}
}

// leftIn is what a run left, without what depends on the time: model, newest checkpoint, and records.
func leftIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	checkpoints, err := run.Checkpoints(dir)
	if err != nil || len(checkpoints) == 0 {
		t.Fatal(err, "no checkpoint")
	}
	left := map[string]string{}
	for _, name := range []string{filepath.Join(dir, tokenizer.Method.ModelFile), checkpoints[len(checkpoints)-1]} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		left[filepath.Base(name)] = string(text)
	}
	list, err := run.ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		text, err := r.Stable().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		left["records"] += string(text) + "\n"
	}
	return left
}

// trainLocally does the run in dir once more, by members of a group in this process.
func trainLocally(t *testing.T, dir string, n int) string {
	t.Helper()
	_, cfg, err := model.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "run")
	errs := make([]error, n)
	var wait sync.WaitGroup
	for rank, g := range dist.Local(n) {
		wait.Go(func() {
			defer g.Close()
			_, errs[rank] = train.Run(context.Background(), again, tokenizer.Method, cfg, train.Env{
				Group: g, Open: model.Opener(), Device: tensor.NewDevice(tensor.CPU().Backend()),
			})
		})
	}
	wait.Wait()
	for rank, err := range errs {
		if err != nil {
			t.Fatalf("rank %d: %v", rank, err)
		}
	}
	return again
}

// A launcher's processes encode what one process encodes.
func TestTogetherEncodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	mustRun(t, trainTogether(dir)...)
	encode := func(out string) []string {
		return []string{"tokenizer", "encode", dir, "--data", "procedural:150", "--out", out}
	}
	shared, alone := filepath.Join(t.TempDir(), "shared.jsonl"), filepath.Join(t.TempDir(), "alone.jsonl")
	if err := newJob(t, 2, encode(shared)...).Run(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, encode(alone)...)
	if got, want := string(readFile(t, shared)), string(readFile(t, alone)); got != want || strings.Count(got, "\n") != 150 {
		t.Errorf("two processes wrote\n%s\none wrote\n%s", got, want)
	}
}

// What ends one process ends the job, within the timeout, with a line that names the rank; and the run goes on from its checkpoint.
func TestTogetherEnds(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal // to rank 1
		want   string
	}{
		{syscall.SIGKILL, "ignal 9"},
		{syscall.SIGSTOP, "rank 1 did not answer within 5s"},
		{syscall.SIGTERM, "interrupted after step"},
	} {
		t.Run(c.signal.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			j := newJob(t, 2, append([]string{"--dist-timeout", "5s"}, trainTogether(dir, "--set", "train.epochs=100000", "--set", "log.checkpoint=10")...)...)
			var out bytes.Buffer
			j.Stdout = &out
			if err := j.Start(); err != nil {
				t.Fatal(err)
			}
			awaitCheckpoint(t, dir)
			pid := j.pid(t, 1)
			if err := syscall.Kill(pid, c.signal); err != nil {
				t.Fatal(err)
			}
			if c.signal == syscall.SIGSTOP {
				defer syscall.Kill(pid, syscall.SIGKILL) // where the launcher does not reach it
			}
			began := time.Now()
			err := j.Wait()
			if took := time.Since(began); err == nil || took > time.Minute || !strings.Contains(out.String()+j.errOut.String(), c.want) {
				t.Fatalf("ended after %v with %v, without %q", took, err, c.want)
			}
			resumeLonger(t, dir)
		})
	}
}

// resumeLonger goes on with the run in dir, as four processes, to an end that comes soon.
func resumeLonger(t *testing.T, dir string) {
	t.Helper()
	list, err := run.ReadMetrics(dir)
	if err != nil || len(list) == 0 {
		t.Fatal(err, "no records")
	}
	last := list[len(list)-1].Epoch
	j := newJob(t, 4, "tokenizer", "train", "--resume", dir, "--epochs", strconv.Itoa(last+2))
	if err := j.Run(); err != nil {
		t.Fatalf("resumed: %v", err)
	}
	if !run.Finished(dir, tokenizer.Method.ModelFile) {
		t.Error("resumed, and not finished")
	}
}

// Each process tells its devices.
func TestTogetherDevices(t *testing.T) {
	j := newJob(t, 3, "devices")
	out, err := j.Output()
	if err != nil {
		t.Fatal(err)
	}
	for rank := range 3 {
		if want := fmt.Sprintf("rank %d of 3, process %d on ", rank, rank); strings.Count(string(out), want) != 1 {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// Settings that cannot be shared are refused in one line.
func TestTogetherRefused(t *testing.T) {
	j := newJob(t, 3, trainTogether(filepath.Join(t.TempDir(), "run"))...)
	if err := j.Run(); err == nil || strings.Count(j.errOut.String(), "must be a multiple of 3") != 3 {
		t.Errorf("three processes on four micro-batches: %v", err)
	}
}
