package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobeit/gobeit/nn/state"
)

// locks skips a test on systems without locks.
func locks(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), LockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if lock(f, true) == unknown {
		t.Skipf("%s on %s knows no locks", t.TempDir(), runtime.GOOS)
	}
}

func TestClaim(t *testing.T) {
	locks(t)
	dir := filepath.Join(t.TempDir(), "run")
	if isBusy(dir) {
		t.Error("a folder that is not there is busy")
	}
	l, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = Claim(dir); !wantError(err, "a run is under way in "+dir+": wait") || !isBusy(dir) {
		t.Errorf("second claim: error %v, busy %v", err, isBusy(dir))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if isBusy(dir) {
		t.Error("busy after the lock was closed")
	}
	if l, err = Claim(dir); err != nil {
		t.Fatal(err)
	}
	l.Close()

	if l, err = Claim(dir); err != nil {
		t.Fatal(err)
	}
	stale, err := os.Open(filepath.Join(dir, LockFile)) // of a process that waits
	if err != nil {
		t.Fatal(err)
	}
	defer stale.Close()
	if !stands(stale) {
		t.Error("the file of a claim is not at its place")
	}
	removed := os.Remove(stale.Name()) == nil // Windows does not remove an open file
	if stands(stale) == removed {
		t.Errorf("a file is at its place: %v, it was removed: %v", !removed, removed)
	}
	l.Close()
	if l, err = Claim(dir); err != nil || stands(stale) == removed {
		t.Fatalf("error %v, the removed file is at its place: %v", err, removed)
	}
	l.Close()

	file := filepath.Join(dir, LockFile)
	if l, err := Claim(file); err == nil || errors.As(err, new(*BusyError)) {
		t.Errorf("a file was claimed: %v, error %v", l, err)
	}
}

// TestWatchersAndClaims: who only looks whether a folder is busy does not keep a run out.
func TestWatchersAndClaims(t *testing.T) {
	locks(t)
	dir := t.TempDir()
	var stop atomic.Bool
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for !stop.Load() {
				isBusy(dir)
				time.Sleep(100 * time.Microsecond)
			}
		})
	}
	for i := range 100 {
		l, err := Claim(dir)
		if err != nil {
			t.Errorf("claim %d: %v", i, err)
			break
		}
		if !isBusy(dir) {
			t.Errorf("claim %d: not busy", i)
		}
		l.Close()
	}
	stop.Store(true)
	wait.Wait()

	// A watcher that the system stops while it looks.
	f, err := os.Open(filepath.Join(dir, LockFile))
	if err != nil {
		t.Fatal(err)
	}
	if lock(f, false) != mine {
		t.Fatal("a watcher cannot look")
	}
	time.AfterFunc(30*time.Millisecond, func() { f.Close() })
	l, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// The test binary itself is the other process: it does what childDoes says in the folder childDir.
const childDoes, childDir = "GOBEIT_RUN_CHILD", "GOBEIT_RUN_DIR"

func TestMain(m *testing.M) {
	if what := os.Getenv(childDoes); what != "" {
		if err := child(what, os.Getenv(childDir)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child claims a folder, says so, and writes records or waits until it is killed or its input ends.
func child(what, dir string) error {
	l, err := Claim(dir)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := WriteStatus(dir, Status{State: StateRunning, Total: 10, Began: time.Now()}); err != nil {
		return err
	}
	m, _, _, err := OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
	if err != nil {
		return err
	}
	fmt.Println("claimed")
	for step := 1; what == "write"; step++ {
		if err := m.Append(Record{Kind: KindStep, Epoch: 1, Step: step, Values: map[string]float64{"loss": 1 / float64(step)}}); err != nil {
			return err
		}
		if err := WriteStatus(dir, Status{State: StateRunning, Step: step, Epoch: 1}); err != nil {
			return err
		}
	}
	io.Copy(io.Discard, os.Stdin)
	return WriteStatus(dir, Status{State: StateFinished, Step: 10, Total: 10})
}

// process starts the other process and waits until it has the folder.
func process(t *testing.T, what, dir string) (cmd *exec.Cmd, input io.Closer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(exe)
	cmd.Env = append(os.Environ(), childDoes+"="+what, childDir+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("processes cannot be started on %s: %v", runtime.GOOS, err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "claimed\n" {
		t.Fatalf("the other process says %q, error %v", line, err)
	}
	return cmd, in
}

func TestTwoProcesses(t *testing.T) {
	locks(t)
	dir := t.TempDir()
	cmd, input := process(t, "wait", dir)
	_, err := Claim(dir)
	var busy *BusyError
	host, _ := os.Hostname()
	if !errors.As(err, &busy) || busy.PID != cmd.Process.Pid || busy.Host != host || !wantError(err, fmt.Sprintf("(process %d on %s)", busy.PID, host)) {
		t.Errorf("error %v, want one that names process %d on %s", err, cmd.Process.Pid, host)
	}
	if s, err := ReadStatus(dir); err != nil || s.State != StateRunning || s.PID != cmd.Process.Pid {
		t.Errorf("status %+v, error %v", s, err)
	}
	input.Close()
	cmd.Wait()
	if s, err := ReadStatus(dir); err != nil || s.State != StateFinished || isBusy(dir) {
		t.Errorf("status %+v, error %v, busy %v", s, err, isBusy(dir))
	}
}

// TestKilledProcess: a run that is killed in the middle of writing leaves a folder that the next one goes on with.
func TestKilledProcess(t *testing.T) {
	locks(t)
	dir := t.TempDir()
	cmd, _ := process(t, "write", dir)
	deadline := time.Now().Add(20 * time.Second)
	for step := 0; step < 20 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		s, err := ReadStatus(dir)
		if err != nil || s.State != StateRunning || s.Step < step {
			t.Fatalf("after step %d: status %+v, error %v", step, s, err)
		}
		step = s.Step
	}
	cmd.Process.Kill()
	cmd.Wait()
	s, err := ReadStatus(dir)
	if err != nil || s.State != StateKilled || s.PID != cmd.Process.Pid {
		t.Errorf("status %+v, error %v", s, err)
	}
	list, err := ReadMetrics(dir)
	if err != nil || len(list) < 20 {
		t.Fatalf("%d records, error %v", len(list), err)
	}
	for i, rec := range list {
		if rec.Step != i+1 {
			t.Fatalf("record %d is of step %d", i, rec.Step)
		}
	}
	l, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mustWrite(t, filepath.Join(dir, ".tmp-0123456789abcdef"), []byte("half"))
	if err := Prepare(dir); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	m, known, damaged, err := OpenMetrics(dir, 10, 0, state.WriteFileAtomic)
	if err != nil || len(known) != 10 || damaged != nil {
		t.Errorf("%d records known after 10 steps, damaged %v, error %v", len(known), damaged, err)
	} else {
		m.Close()
	}
}

// isBusy reports whether a run is under way in dir, in this process or another.
func isBusy(dir string) bool {
	h, err := probe(dir)
	return err == nil && h == other
}
