package run

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// State says whether a run goes on, and how it ended.
type State string

// States of a run. StateDiverged is that of a run which came to its end, but with a loss that is not finite or far above its start: Status.Error
// says which. StateKilled is never written: ReadStatus returns it for a run that says it is running while its folder is not locked.
const (
	StateRunning     State = "running"
	StateInterrupted State = "interrupted"
	StateFinished    State = "finished"
	StateDiverged    State = "diverged"
	StateFailed      State = "failed"
	StateKilled      State = "killed"
)

// Status is status.json: how far a run is. It is information only; the results of a run do not depend on it.
type Status struct {
	State   State     `json:"state"`
	Step    int       `json:"step"`   // steps done
	Total   int       `json:"total"`  // steps of the whole run
	Epoch   int       `json:"epoch"`  // the present one, from 1
	Epochs  int       `json:"epochs"` // of the whole run
	Host    string    `json:"host"`   // that the process runs on
	PID     int       `json:"pid"`
	Began   time.Time `json:"began"`   // when the process began
	Updated time.Time `json:"updated"` // when this was written
	Error   string    `json:"error,omitempty"`

	Device  string `json:"device,omitempty"` // that the process computes on
	Threads int    `json:"threads,omitempty"`
	Version string `json:"version,omitempty"` // of the program, Go, system and processor
}

// WriteStatus replaces status.json. An empty Host and PID become those of this process, and Updated becomes the present time. Times are kept
// in milliseconds. WriteStatus waits for the disk: call it once every second or two. A run may go on after its error.
func WriteStatus(dir string, s Status) error {
	if s.Host == "" {
		s.Host, _ = os.Hostname()
	}
	if s.PID == 0 {
		s.PID = os.Getpid()
	}
	s.Began, s.Updated = s.Began.UTC().Truncate(time.Millisecond), time.Now().UTC().Truncate(time.Millisecond)
	text, err := s.encode()
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	return state.WriteFileAtomic(filepath.Join(dir, StatusFile), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// encode returns the text of the file.
func (s Status) encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	object, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return append(seal(object), '\n'), nil
}

// ReadStatus reads status.json. The state of a run that says it is running while its folder is not claimed is StateKilled. A run must
// therefore write its last status before it closes its lock. On a file system without locks the state stays StateRunning.
//
// Runs of older versions have no status: the error wraps fs.ErrNotExist.
func ReadStatus(dir string) (Status, error) {
	const tries = 3
	for try := 1; ; try++ {
		s, err := readStatus(dir)
		if err != nil || s.State != StateRunning {
			return s, err
		}
		if h, err := probe(dir); err != nil || h != mine || try == tries {
			return s, nil
		}
		// The run may have ended since the first reading. Its last status is older than the end of its lock.
		again, err := readStatus(dir)
		if err != nil {
			return again, err
		}
		if again == s {
			s.State = StateKilled
			return s, nil
		}
	}
}

// maxStatus is how many bytes a status.json can have.
const maxStatus = 1 << 20

// readStatus reads status.json as it is.
func readStatus(dir string) (Status, error) {
	name := filepath.Join(dir, StatusFile)
	text, err := regular.ReadAtMost(name, maxStatus)
	if err != nil {
		return Status{}, fmt.Errorf("status: %w", err)
	}
	s, err := parseStatus(text)
	if err != nil {
		return Status{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func parseStatus(text []byte) (Status, error) {
	n := len(text) - 1
	if n < 0 || text[n] != '\n' {
		return Status{}, errChecksum
	}
	if sealed, err := unseal(text[:n]); !sealed || err != nil {
		return Status{}, errChecksum
	}
	var s Status
	if err := json.Unmarshal(text, &s); err != nil {
		return Status{}, err
	}
	s.Began, s.Updated = s.Began.UTC(), s.Updated.UTC()
	if err := s.check(); err != nil {
		return Status{}, err
	}
	return s, nil
}

// check refuses what no run can be.
func (s Status) check() error {
	if !slices.Contains([]State{StateRunning, StateInterrupted, StateFinished, StateDiverged, StateFailed}, s.State) {
		return fmt.Errorf("there is no state %q", s.State)
	}
	if s.Step < 0 || s.Total < 0 || s.Epoch < 0 || s.Epochs < 0 {
		return fmt.Errorf("step %d of %d, epoch %d of %d cannot be", s.Step, s.Total, s.Epoch, s.Epochs)
	}
	return cmp.Or(checkYear(s.Began), checkYear(s.Updated))
}
