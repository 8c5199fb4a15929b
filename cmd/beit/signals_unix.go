//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// endSignals end a run after the step under way. A dropped connection (SIGHUP) is one, unless nohup asked to ignore it.
func endSignals() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// outliveReaders turns the end of whoever reads our output from the end of this process into an error of the write.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }
