package data

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// flaky is a file system whose files fail when they are opened or read, a few times.
type flaky struct {
	fstest.MapFS
	err   error
	fails int  // times
	read  bool // not opening fails, but reading
}

func (f *flaky) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if f.fails == 0 || err != nil {
		return file, err
	}
	f.fails--
	if f.read {
		return failing{file, f.err}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
}

type failing struct {
	fs.File
	err error
}

func (f failing) Read([]byte) (int, error) { return 0, &fs.PathError{Op: "read", Err: f.err} }

// A read error of a moment is no bad image; one that stays, or another one, is.
func TestReadErrorsOfAMoment(t *testing.T) {
	pauses := readPauses
	defer func() {
		readPauses = pauses
		gaveUp.Store(0)
	}()
	readPauses = []time.Duration{0, 0, 0}
	for _, c := range []struct {
		fsys *flaky
		ok   bool
	}{
		{&flaky{err: syscall.EIO, fails: 3}, true},
		{&flaky{err: syscall.ESTALE, fails: 1, read: true}, true},
		{&flaky{err: syscall.ETIMEDOUT, fails: 2, read: true}, true},
		{&flaky{err: syscall.EIO, fails: 4}, false},
		{&flaky{err: syscall.EACCES, fails: 1}, false},
		{&flaky{err: io.ErrUnexpectedEOF, fails: 1, read: true}, false},
	} {
		c.fsys.MapFS = tree("1.png")
		o := &opener{fsys: c.fsys, name: "set", limits: DefaultLimits}
		_, err := o.files([]string{"1.png"}).Sample(0)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, c.fsys.err) {
			t.Errorf("%v %d times: error %v", c.fsys.err, c.fsys.fails, err)
		}
	}
}

// An image that cannot be decoded is read once.
func TestDecodeErrorsAreNotRetried(t *testing.T) {
	calls := 0
	if _, err := retried(func() (int, error) {
		calls++
		_, err := Decode(bytes.Repeat([]byte("x"), 100), DefaultLimits)
		return 0, err
	}); err == nil || calls != 1 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}
