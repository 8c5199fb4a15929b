// Package hostmem says how much memory of the machine this process can still get.
package hostmem

import "os"

// Available returns how many bytes can be allocated before something has to be swapped out or the system ends a process: the least of what the
// machine has, what the limits of control groups leave, and what the limit on the address space leaves. Swap does not count. ok is false on systems
// where that is not known; so far it is known on Linux.
func Available() (bytes int64, ok bool) {
	s, ok := look(os.DirFS("/"))
	return min(s.Available, s.Address), ok
}

// Status is a look at the memory of machine and process.
type Status struct {
	Available int64 // without swapping, within the limits of control groups
	Address   int64 // left of the limit on the address space; a huge number without a limit
	Swap      int64 // free swap space
	Resident  int64 // memory of this process that it wrote to, swapped out or not
}

// Look returns the present status; ok is false where it is not known.
func Look() (s Status, ok bool) { return look(os.DirFS("/")) }
