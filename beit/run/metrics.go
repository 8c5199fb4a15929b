package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// lines reads the lines of a metrics file, first to last.
type lines struct {
	checked bool // a line had a checksum, so later ones need one
}

var (
	errUnchecked = errors.New("damaged: it has no checksum, and lines before it have one")
	errNewline   = errors.New("damaged: another byte stands in place of its line break")
)

// read reads a line with its line break.
func (l *lines) read(line []byte) (Record, error) {
	text := bytes.TrimSuffix(line, []byte("\n"))
	sealed, err := unseal(text)
	if err != nil {
		l.checked = true
		return Record{}, err
	}
	if l.checked && !sealed {
		return Record{}, errUnchecked
	}
	var rec Record
	if err := json.Unmarshal(text, &rec); err != nil {
		return Record{}, err
	}
	l.checked = l.checked || sealed
	return rec, nil
}

// checkTail checks the text after the last line break. It is normally the beginning of a line that a crash cut short. A whole line and one byte
// more is a line whose break is damaged.
func checkTail(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if sealed, err := unseal(text[:len(text)-1]); sealed && err == nil {
		return errNewline
	}
	return nil
}

func lineError(name string, number int, err error) error {
	return fmt.Errorf("%s: line %d: %w", name, number, err)
}

// ReadMetrics reads the metrics of the run folder dir. A last line that was cut short is left out; a damaged line is an error.
func ReadMetrics(dir string) ([]Record, error) {
	name := filepath.Join(dir, MetricsFile)
	text, err := regular.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return parseMetrics(name, text)
}

// ReadIntactMetrics is ReadMetrics without the lines that are damaged, which it tells.
func ReadIntactMetrics(dir string) (list []Record, damaged []error, err error) {
	name := filepath.Join(dir, MetricsFile)
	text, err := regular.ReadFile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("metrics: %w", err)
	}
	_, list, damaged = cutBack(name, text, math.MaxInt, math.MaxInt)
	return list, damaged, nil
}

func parseMetrics(name string, text []byte) ([]Record, error) {
	var list []Record
	var in lines
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			if err := checkTail(line); err != nil {
				return nil, lineError(name, number, err)
			}
			break
		}
		rec, err := in.read(line)
		if err != nil {
			return nil, lineError(name, number, err)
		}
		list = append(list, rec)
	}
	return list, nil
}

// Metrics appends to metrics.jsonl. It belongs to one goroutine.
type Metrics struct {
	file appender
	size int64
}

// appender is an *os.File that was opened with os.O_APPEND.
type appender interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// OpenMetrics opens metrics.jsonl for new lines, cut back to a checkpoint after a number of steps and closed epochs. It removes records of
// later steps. It removes epoch and validation records of later epochs, because an epoch is open until its checkpoint is written. After 0
// steps nothing stays.
//
// It returns the records that stay. A last line that a crash cut short is removed. Other lines that cannot be read are removed and reported
// in damaged.
func OpenMetrics(dir string, step, closedEpochs int, write WriteFunc) (m *Metrics, known []Record, damaged []error, err error) {
	name := filepath.Join(dir, MetricsFile)
	old, err := regular.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil, fmt.Errorf("metrics: %w", err)
	}
	if step == 0 {
		old = nil
	}
	kept, known, damaged := cutBack(name, old, step, closedEpochs)
	err = write(name, func(w io.Writer) error {
		_, err := w.Write(kept)
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("metrics: %w", err)
	}
	return &Metrics{f, int64(len(kept))}, known, damaged, nil
}

// cutBack returns the lines of a metrics file that stay.
func cutBack(name string, text []byte, step, closedEpochs int) (kept []byte, known []Record, damaged []error) {
	var in lines
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			if err := checkTail(line); err != nil {
				damaged = append(damaged, lineError(name, number, err))
			}
			break
		}
		rec, err := in.read(line)
		if err != nil {
			damaged = append(damaged, lineError(name, number, err))
			continue
		}
		if rec.Step > step || rec.Kind != KindStep && rec.Epoch > closedEpochs {
			break
		}
		kept = append(kept, line...)
		known = append(known, rec)
	}
	return kept, known, damaged
}

// Append writes a record. A zero time becomes the present time. After an error, such as a full disk, no part of the record stays in the file.
func (m *Metrics) Append(rec Record) error {
	if rec.Time.IsZero() {
		rec.Time = time.Now()
	}
	object, err := rec.MarshalJSON()
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	line := append(seal(object), '\n')
	if _, err := m.file.Write(line); err != nil {
		m.file.Truncate(m.size) // if this fails too, readers report a damaged line
		return fmt.Errorf("metrics: %w", err)
	}
	m.size += int64(len(line))
	return nil
}

// Sync flushes the records to the disk. Call it before writing a checkpoint.
func (m *Metrics) Sync() error {
	if err := m.file.Sync(); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// Close closes the file.
func (m *Metrics) Close() error { return m.file.Close() }
