package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// Tail yields the records of the run in dir, and then new ones as they are written, until ctx ends. It looks for them at intervals of poll, or
// of a second when poll is 0. The folder and its metrics may appear later.
//
// A run that is resumed cuts its metrics back and writes records of the same steps again. Tail yields a record only when it has not yet yielded
// one of the same kind, epoch and step.
//
// A damaged line is an error between the records, and Tail goes on. Another error, such as a file that may not be read, is the last thing it
// yields.
func Tail(ctx context.Context, dir string, poll time.Duration) iter.Seq2[Record, error] {
	if poll <= 0 {
		poll = time.Second
	}
	return func(yield func(Record, error) bool) {
		f := follower{name: filepath.Join(dir, MetricsFile), seen: map[recordKey]bool{}}
		for ctx.Err() == nil {
			text, err := f.more()
			if err != nil {
				yield(Record{}, err)
				return
			}
			for line := range bytes.Lines(text) {
				if !bytes.HasSuffix(line, []byte("\n")) {
					break // it is still being written
				}
				rec, fresh, err := f.take(line)
				if !fresh && err == nil {
					continue
				}
				if ctx.Err() != nil || !yield(rec, err) {
					return
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(poll):
			}
		}
	}
}

// recordKey identifies a record of a run.
type recordKey struct {
	kind        string
	epoch, step int
}

// follower reads a file that grows. It starts again when the file was replaced.
type follower struct {
	name   string
	seen   map[recordKey]bool
	offset int64  // after the last whole line
	last   []byte // that line, with its line break
	number int    // lines read
	lines  lines
}

// more returns what follows the last whole line. It does not keep the file open, because Windows cannot replace an open file.
func (f *follower) more() ([]byte, error) {
	file, err := regular.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	defer file.Close()
	start := f.offset - int64(len(f.last))
	text, err := io.ReadAll(io.NewSectionReader(file, start, math.MaxInt64-start))
	if err == nil && !bytes.HasPrefix(text, f.last) { // cut back or replaced
		f.offset, f.last, f.number, f.lines = 0, nil, 0, lines{}
		text, err = io.ReadAll(io.NewSectionReader(file, 0, math.MaxInt64))
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return text[len(f.last):], nil
}

// take reads a whole line. fresh says that its record was not yielded before.
func (f *follower) take(line []byte) (rec Record, fresh bool, err error) {
	f.offset += int64(len(line))
	f.last = bytes.Clone(line)
	f.number++
	if rec, err = f.lines.read(line); err != nil {
		return Record{}, false, lineError(f.name, f.number, err)
	}
	key := recordKey{rec.Kind, rec.Epoch, rec.Step}
	fresh = !f.seen[key]
	f.seen[key] = true
	return rec, fresh, nil
}
