//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/run"
)

// Windows has neither signals between processes nor SIGPIPE.

// longRun is the command line of a run of some seconds, with a checkpoint after every step.
func longRun(dir string, epochs string) []string {
	return slices.Concat([]string{"tokenizer", "train", "--data", "procedural:64", "--out", dir}, tiny,
		assign("train.epochs="+epochs, "log.checkpoint=1", "log.eval_every=1000"))
}

// awaitCheckpoint waits until a run has a checkpoint.
func awaitCheckpoint(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for list := []string(nil); len(list) == 0; list, _ = run.Checkpoints(dir) {
		if time.Now().After(deadline) {
			t.Fatal("no checkpoint after 30 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// start starts a process, and ends it with the test.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
}

// signalled waits for a checkpoint of the run in dir, sends a signal and waits for the end.
func signalled(t *testing.T, cmd *exec.Cmd, dir string, s os.Signal) (status int) {
	t.Helper()
	start(t, cmd)
	awaitCheckpoint(t, dir)
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// The first interrupt, and a lost connection too, ends the run after the step under way, leaves a checkpoint and status 130. The run can then be
// continued to its end.
func TestEndSignals(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			heeds(t, s)
			dir := filepath.Join(t.TempDir(), "run")
			cmd, errOut := process(t, longRun(dir, "100000")...)
			start(t, cmd)
			awaitCheckpoint(t, dir)
			if text := mustRun(t, "inspect", dir); !regexp.MustCompile(`(?m)^status +running, step \d+ of 400000, `).MatchString(text) {
				t.Errorf("inspect of the run under way:\n%s", text)
			}
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := errOut.String(); cmd.ProcessState.ExitCode() != statusInterrupted || !strings.Contains(got, "beit tokenizer train --resume "+dir) {
				t.Errorf("status %d, messages %q", cmd.ProcessState.ExitCode(), got)
			}
			text := mustRun(t, "inspect", dir)
			if !strings.Contains(text, "not finished") || !regexp.MustCompile(`(?m)^status +interrupted, step \d+ of 400000, `).MatchString(text) {
				t.Errorf("inspect of the interrupted run:\n%s", text)
			}
			status, err := run.ReadStatus(dir)
			list, _ := run.Checkpoints(dir)
			if err != nil || len(list) == 0 || run.StepOf(list[len(list)-1]) != status.Step {
				t.Errorf("ended after step %d, the checkpoints are %q, error %v", status.Step, list, err)
			}
		})
	}
}

// heeds skips a test of a signal that this process ignores, as under nohup: its child processes ignore it too.
func heeds(t *testing.T, s os.Signal) {
	t.Helper()
	if signal.Ignored(s) {
		t.Skipf("this process ignores the signal %q, and so would a run that it begins", s)
	}
}

// What SIGHUP interrupted is continued to its end, by the command that the message names.
func TestResumeAfterHangup(t *testing.T) {
	t.Parallel()
	heeds(t, syscall.SIGHUP)
	dir := filepath.Join(t.TempDir(), "run")
	cmd, errOut := process(t, longRun(dir, "20")...)
	if status := signalled(t, cmd, dir, syscall.SIGHUP); status != statusInterrupted {
		t.Fatalf("status %d: %s", status, errOut)
	}
	_, command, _ := strings.Cut(errOut.String(), "continue with: beit ")
	done := decode[finished](t, mustRun(t, append(strings.Fields(command), "--json")...))
	if done.Steps != 80 || done.Model != filepath.Join(dir, "tokenizer.safetensors") {
		t.Errorf("%+v", done)
	}
}

// A run under nohup, which ignores SIGHUP, goes on after a hangup.
func TestHangupIgnored(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	cmd, errOut := process(t, longRun(dir, "20")...)
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell to ignore SIGHUP in")
	}
	cmd.Args = slices.Concat([]string{shell, "-c", `trap "" HUP; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:])
	cmd.Path = shell
	if status := signalled(t, cmd, dir, syscall.SIGHUP); status != statusOK || !run.Finished(dir, "tokenizer.safetensors") {
		t.Errorf("status %d, messages %q", status, errOut)
	}
}

// A run that was killed is known as such, and is continued.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	cmd, _ := process(t, longRun(dir, "20")...)
	signalled(t, cmd, dir, os.Kill)
	if text := mustRun(t, "inspect", dir); !regexp.MustCompile(`(?m)^status +killed, step \d+ of 80, `).MatchString(text) {
		t.Errorf("inspect of the killed run:\n%s", text)
	}
	mustRun(t, "tokenizer", "train", "--resume", dir)
}

// closedPipe is the writing end of a pipe that nobody reads.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// A training goes on when nobody reads its output or its messages any more.
func TestTrainingOutlivesReaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                  string
		outClosed, errsClosed bool
	}{{"output", true, false}, {"messages", false, true}, {"both", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			cmd, errOut := process(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:64", "--out", dir}, tiny)...)
			var out bytes.Buffer
			cmd.Stdout = &out
			if c.outClosed {
				cmd.Stdout = closedPipe(t)
			}
			if c.errsClosed {
				cmd.Stderr = closedPipe(t)
			}
			if err := cmd.Run(); err != nil || !run.Finished(dir, "tokenizer.safetensors") || !run.Finished(dir, "report.html") {
				t.Errorf("%v, messages %q", err, errOut)
			}
			if !c.errsClosed && !strings.Contains(errOut.String(), "\n  2/2  ") {
				t.Errorf("messages %q", errOut)
			}
			if !c.outClosed && !strings.Contains(out.String(), dir) {
				t.Errorf("output %q", out.String())
			}
		})
	}
}

// A command whose output nobody reads any more ends without an error's message, with the status that a shell gives to SIGPIPE.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	r := trainedRuns(t)
	images := t.TempDir()
	writeImages(t, images, map[string]int{"val": 20})
	val := filepath.Join(images, "val")
	for _, args := range [][]string{
		{"embed", r.backbone, val}, {"tokenizer", "encode", r.tokenizer, "--data", val}, {"predict", r.classifier, val}, {"inspect", r.backbone},
		{"inspect", filepath.Join(r.backbone, "backbone.safetensors"), "--json"}, {"config", "finetune"}, {"config", "finetune", "--explain"}, {"version"},
		{"devices"}, {"verify", r.tokenizer}, {"probe", "knn", r.backbone, "--data", "procedural:60", "--alone"}, {"--help"}, {"pretrain", "--help"},
	} {
		cmd, errOut := process(t, args...)
		cmd.Stdout = closedPipe(t)
		_ = cmd.Run()
		if status := cmd.ProcessState.ExitCode(); status != statusNoReader || strings.Contains(errOut.String(), "beit:") {
			t.Errorf("beit %s: status %d, messages %q", strings.Join(args, " "), status, errOut)
		}
	}
}

// So does one that is read from for a while, as by head -1.
func TestReaderLeaves(t *testing.T) {
	t.Parallel()
	r := trainedRuns(t)
	images := t.TempDir()
	writeImages(t, images, map[string]int{"val": 400}) // vectors of more than a pipe holds
	cmd, errOut := process(t, "embed", r.backbone, filepath.Join(images, "val"))
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = to
	start(t, cmd)
	to.Close()
	if _, err := io.ReadFull(from, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	from.Close()
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != statusNoReader || strings.Contains(errOut.String(), "beit:") {
		t.Errorf("status %d, messages %q", status, errOut)
	}
}

// With log.checkpoint_every a run leaves checkpoints in the middle of an epoch.
func TestCheckpointEvery(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	mustRun(t, slices.Concat([]string{"tokenizer", "train", "--data", "procedural:800", "--out", dir}, tiny,
		assign("train.epochs=1", "train.batch=4", "log.checkpoint_every=50ms", "log.keep=1000"))...)
	list, err := run.Checkpoints(dir)
	if err != nil || len(list) < 2 {
		t.Fatalf("%q, error %v", list, err)
	}
	for _, name := range list[:len(list)-1] {
		if step := run.StepOf(name); step < 1 || step > 199 {
			t.Errorf("%s is not in the middle of the epoch", name)
		}
	}
	if last := run.StepOf(list[len(list)-1]); last != 200 {
		t.Errorf("the last checkpoint is of step %d", last)
	}
}
