package data

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"
)

// readPauses are the times to wait before a file is read again after an error of a moment.
var readPauses = []time.Duration{50 * time.Millisecond, 250 * time.Millisecond, time.Second}

// momentary lists the errors of file systems, of those on a network above all, that another try may be spared.
var momentary = []error{
	syscall.EIO, syscall.EINTR, syscall.EAGAIN, syscall.EBUSY, syscall.ESTALE, syscall.ETIMEDOUT, syscall.ECONNRESET, syscall.ENOTCONN,
	syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EMFILE, syscall.ENFILE, os.ErrDeadlineExceeded,
}

// retried is f, called again after pauses as long as it fails with an error of a moment.
func retried[T any](f func() (T, error)) (T, error) {
	for _, pause := range readPauses {
		result, err := f()
		if !isMomentary(err) {
			return result, err
		}
		time.Sleep(pause)
	}
	return f()
}

func isMomentary(err error) bool {
	return err != nil && slices.ContainsFunc(momentary, func(m error) bool { return errors.Is(err, m) })
}
