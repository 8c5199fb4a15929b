//go:build !(linux || darwin || freebsd)

package train

import "os"

// lock locks nothing here.
func lock(*os.File) bool { return true }
