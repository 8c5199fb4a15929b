//go:build !(linux || darwin || freebsd)

package state

import "os"

// mapFile maps nothing here: files are read in the ordinary way.
func mapFile(*os.File, int64) mapping { return nil }

func (m *mapping) unmap() error { return nil }
