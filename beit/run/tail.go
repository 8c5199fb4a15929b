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
	"os"
	"path/filepath"
	"time"
)

// Tail yields the records of the run in dir, and then new ones as they come, until ctx ends. It looks for them every poll, or every second when
// poll is 0. The folder or its metrics need not be there yet.
//
// When the run is resumed, its metrics are cut back and written anew from there. Tail yields records with a step, epoch and kind that it had
// not yielded before. A damaged line is an error between the records. An error that has another cause, such as a file that may not be read, is
// the last thing it yields.
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

// recordKey tells the records of a run apart.
type recordKey struct {
	kind        string
	epoch, step int
}

// follower reads a file that grows, and starts again when it has become another one.
type follower struct {
	name   string
	seen   map[recordKey]bool
	offset int64  // after the last whole line
	last   []byte // that line
	number int
	lines  lines
}

// more returns what follows the last whole line. The file is not kept open: on some systems it could not be replaced then.
func (f *follower) more() ([]byte, error) {
	file, err := os.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	defer file.Close()
	start := f.offset - int64(len(f.last))
	text, err := io.ReadAll(io.NewSectionReader(file, start, math.MaxInt64-start))
	if err == nil && !bytes.HasPrefix(text, f.last) { // cut back, or another file: its lines up to here differ
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
