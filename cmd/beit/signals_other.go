//go:build !unix

package main

import (
	"os"
	"syscall"
)

// endSignals end a run after the step under way.
func endSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// outliveReaders does nothing: here the end of a reader is an error of the write.
func outliveReaders() {}
