package run

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gobeit/gobeit/nn/state"
)

// State is what has become of a run.
type State string

// States of a run. A process that is killed cannot write so: StateKilled is what ReadStatus makes of a running one whose lock nobody has.
const (
	StateRunning     State = "running"
	StateInterrupted State = "interrupted"
	StateFinished    State = "finished"
	StateFailed      State = "failed"
	StateKilled      State = "killed"
)

// Status is status.json: where a run is. It informs people and programs; nothing of the run depends on it.
type Status struct {
	State   State     `json:"state"`
	Step    int       `json:"step"`   // steps done
	Total   int       `json:"total"`  // steps of the whole run
	Epoch   int       `json:"epoch"`  // under way, from 1
	Epochs  int       `json:"epochs"` // of the whole run
	Host    string    `json:"host"`   // that the process runs on
	PID     int       `json:"pid"`
	Began   time.Time `json:"began"`   // when the process began
	Updated time.Time `json:"updated"` // when this was written
	Error   string    `json:"error,omitempty"`
}

// WriteStatus replaces status.json. Host and PID are this process's where they are empty, and Updated is the present. It waits for the disk, so
// once in a second or two is often enough; an error is no reason to end the run.
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

// ReadStatus reads status.json. A run that says it is running in a folder that nobody has claimed was killed: its state is StateKilled then.
// A run therefore says how it ended
// before it closes its lock. Where the file system knows no locks, the state stays StateRunning. Runs of older versions have no status: the error wraps fs.ErrNotExist.
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
		// The run may have ended in between, and said so before it gave up its lock.
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

// readStatus reads status.json as it is.
func readStatus(dir string) (Status, error) {
	name := filepath.Join(dir, StatusFile)
	text, err := os.ReadFile(name)
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
	if !slices.Contains([]State{StateRunning, StateInterrupted, StateFinished, StateFailed}, s.State) {
		return fmt.Errorf("there is no state %q", s.State)
	}
	if s.Step < 0 || s.Total < 0 || s.Epoch < 0 || s.Epochs < 0 {
		return fmt.Errorf("step %d of %d, epoch %d of %d cannot be", s.Step, s.Total, s.Epoch, s.Epochs)
	}
	return nil
}
