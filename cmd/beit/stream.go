package main

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/term"
)

// stream is standard output or standard error. When nobody reads it any more, a lasting one drops what is written: a training goes on.
type stream struct {
	w       io.Writer
	lasting bool
	broken  bool  // nobody reads it any more
	failed  error // of the first write that did not succeed; not of one that was dropped
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	if s.broken && s.lasting {
		return len(p), nil
	}
	n, err := s.w.Write(p)
	if s.broken = s.broken || gone(err); s.broken && s.lasting {
		return len(p), nil
	}
	if s.failed == nil {
		s.failed = err
	}
	return n, err
}

// gone says whether an error of a write means that nobody reads any more.
func gone(err error) bool { return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) }

// terminal says whether w is one that can change a line, and how wide it is.
func terminal(w io.Writer) (columns int, ok bool) {
	if os.Getenv("TERM") == "dumb" {
		return 0, false
	}
	if s, is := w.(*stream); is {
		w = s.w
	}
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return columns, err == nil && columns > 20
}
