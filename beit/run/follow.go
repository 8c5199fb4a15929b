package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// followBytes is how much of a metrics file a Follower reads at once. Lines are shorter.
const followBytes = 1 << 20

// Line is a whole line of a metrics file: its record, or what is wrong with it.
type Line struct {
	Record Record
	Err    error
}

// Follower reads the metrics of a run as they are written, in parts of bounded size. It belongs to one goroutine.
type Follower struct {
	name   string
	offset int64  // after the last whole line
	last   []byte // that line, with its line break
	number int    // lines read
	lines  lines
}

// NewFollower returns a Follower of the run in dir. The folder and its metrics may appear later.
func NewFollower(dir string) *Follower { return &Follower{name: filepath.Join(dir, MetricsFile)} }

// Read returns the lines that follow those of the calls before, and none if there are no more at present. restarted says that the file was
// replaced or cut back, as by a run that is resumed: the lines are those from its beginning.
//
// A missing file has no lines. A file that cannot be read is an error, and so is a line of more than 1 MiB.
func (f *Follower) Read() (list []Line, restarted bool, err error) {
	text, err := f.part()
	if err == nil && !bytes.HasPrefix(text, f.last) {
		*f, restarted = Follower{name: f.name}, true
		text, err = f.part()
	}
	if err != nil {
		return nil, restarted, err
	}
	full := len(text) == len(f.last)+followBytes
	text = text[len(f.last):]
	for line := range bytes.Lines(text) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it is still being written, or continues after this part
		}
		list = append(list, f.take(line))
	}
	if full && len(list) == 0 {
		return nil, restarted, lineError(f.name, f.number+1, fmt.Errorf("it has more than %d bytes", followBytes))
	}
	return list, restarted, nil
}

// part reads the last whole line again, and what follows it. It does not keep the file open, because Windows cannot replace an open file.
func (f *Follower) part() ([]byte, error) {
	file, err := regular.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		return bytes.Clone(f.last), nil
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	defer file.Close()
	size := int64(len(f.last))
	text, err := io.ReadAll(io.NewSectionReader(file, f.offset-size, size+followBytes))
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return text, nil
}

// take reads a whole line.
func (f *Follower) take(line []byte) Line {
	f.offset += int64(len(line))
	f.last = bytes.Clone(line)
	f.number++
	rec, err := f.lines.read(line)
	if err != nil {
		return Line{Err: lineError(f.name, f.number, err)}
	}
	return Line{Record: rec}
}
