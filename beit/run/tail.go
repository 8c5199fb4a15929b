package run

import (
	"context"
	"iter"
	"time"
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
		f, seen := NewFollower(dir), map[recordKey]bool{}
		for ctx.Err() == nil {
			list, _, err := f.Read()
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, line := range list {
				if line.Err == nil {
					key := recordKey{line.Record.Kind, line.Record.Epoch, line.Record.Step}
					if seen[key] {
						continue
					}
					seen[key] = true
				}
				if ctx.Err() != nil || !yield(line.Record, line.Err) {
					return
				}
			}
			if len(list) > 0 {
				continue // there may be more
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
