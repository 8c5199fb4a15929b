package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func someStatus() Status {
	return Status{State: StateFailed, Step: 7, Total: 10, Epoch: 2, Epochs: 3, Host: "a", PID: 5, Began: noon, Updated: noon.Add(time.Hour), Error: "disk \"/\" full\n*J",
		Device: "cpu", Threads: 3, Version: "v0"}
}

func TestStatus(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadStatus(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a status: error %v", err)
	}
	for _, st := range []State{StateRunning, StateInterrupted, StateFinished, StateDiverged, StateFailed} {
		want := someStatus()
		want.State = st
		before := time.Now().Truncate(time.Millisecond)
		if err := WriteStatus(dir, want); err != nil {
			t.Fatal(err)
		}
		got, err := readStatus(dir)
		if got.Updated.Before(before) || got.Updated.After(time.Now()) {
			t.Errorf("updated %v", got.Updated)
		}
		want.Updated = got.Updated
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	}
	if err := WriteStatus(dir, Status{State: StateInterrupted}); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	if s, err := ReadStatus(dir); err != nil || s.PID != os.Getpid() || s.Host != host || !s.Began.IsZero() {
		t.Errorf("%+v, error %v", s, err)
	}
	for _, wrong := range []Status{{}, {State: "odd"}, {State: StateKilled}, {State: StateRunning, Step: -1}, {State: StateRunning, Epochs: -1}} {
		if err := WriteStatus(dir, wrong); !wantError(err, "status") {
			t.Errorf("%+v: error %v", wrong, err)
		}
	}
	if err := WriteStatus(filepath.Join(dir, "absent"), someStatus()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: error %v", err)
	}
}

func TestKilled(t *testing.T) {
	locks(t)
	dir := t.TempDir()
	l, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := someStatus()
	s.State = StateRunning
	if err := WriteStatus(dir, s); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadStatus(dir); err != nil || s.State != StateRunning {
		t.Errorf("claimed: %+v, error %v", s, err)
	}
	l.Close()
	if s, err := ReadStatus(dir); err != nil || s.State != StateKilled || s.Step != 7 {
		t.Errorf("not claimed: %+v, error %v", s, err)
	}
	if err := os.Remove(filepath.Join(dir, LockFile)); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadStatus(dir); err != nil || s.State != StateKilled {
		t.Errorf("without a lock file: %+v, error %v", s, err)
	}
	// Where nobody can tell whether the folder is locked, the run is believed.
	if err := os.Symlink(LockFile, filepath.Join(dir, LockFile)); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, LockFile)); errors.Is(err, fs.ErrNotExist) {
		t.Skip("the system takes a file that links to itself for a missing one")
	}
	if s, err := ReadStatus(dir); err != nil || s.State != StateRunning || isBusy(dir) {
		t.Errorf("with a lock file that links to itself: %+v, error %v, busy %v", s, err, isBusy(dir))
	}
	if l, err := Claim(dir); err == nil {
		l.Close()
		t.Error("a lock file that links to itself was locked")
	}
}

// TestEndOfARunSeenFromOutside: a run that ends while somebody looks was never killed.
func TestEndOfARunSeenFromOutside(t *testing.T) {
	locks(t)
	dir := t.TempDir()
	done := make(chan struct{})
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if runtime.GOOS == "windows" {
					time.Sleep(10 * time.Millisecond) // who always looks keeps a file from being replaced there
				}
				if s, err := ReadStatus(dir); err == nil && s.State == StateKilled || err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("status %+v, error %v", s, err)
				}
			}
		})
	}
	for i := range 30 {
		l, err := Claim(dir)
		if err != nil {
			t.Error(err)
			break
		}
		for _, s := range []State{StateRunning, StateFinished} {
			if err := WriteStatus(dir, Status{State: s, Step: i}); err != nil {
				t.Error(err)
			}
		}
		l.Close()
	}
	close(done)
	wait.Wait()
}

func TestDamagedStatus(t *testing.T) {
	dir := t.TempDir()
	good, err := someStatus().encode()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, StatusFile)
	for _, text := range []string{"", "\n", "{}\n", "null\n", `{"state":"running"}` + "\n", string(good[:len(good)-1]), string(good[:40]), string(seal([]byte(`{"state":5}`))) + "\n",
		string(seal([]byte(`{"state":"running","step":-1}`))) + "\n", string(seal([]byte(`{"state":"killed"}`))) + "\n", string(good) + "\n"} {
		mustWrite(t, name, []byte(text))
		if s, err := ReadStatus(dir); !wantError(err, name+": ") {
			t.Errorf("%q: read as %+v, error %v", text, s, err)
		}
	}
	mustWrite(t, name, good)
	if s, err := ReadStatus(dir); err != nil || s != someStatus() {
		t.Errorf("read %+v, error %v", s, err)
	}
	flips(good, func(bit int, text []byte) {
		if s, err := parseStatus(text); err == nil {
			t.Errorf("bit %d of byte %d: read as %+v", bit%8, bit/8, s)
		}
	})
}

// FuzzStatus reads any file, with a checksum and without. What is accepted can be written and read again.
func FuzzStatus(f *testing.F) {
	good, err := someStatus().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-sealLen-1])
	f.Add([]byte(`{"state":"running","step":13,"began":"9999-12-31T23:59:59-01:00"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, file := range [][]byte{text, fmt.Appendf(nil, "%s\n", seal(text))} {
			s, err := parseStatus(file)
			if err != nil {
				continue
			}
			again, err := s.encode()
			if err != nil {
				t.Fatalf("%+v was read and cannot be written: %v", s, err)
			}
			if same, err := parseStatus(again); err != nil || same != s {
				t.Errorf("%+v became %+v, error %v", s, same, err)
			}
		}
	})
}
