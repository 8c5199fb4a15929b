package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// mostGarbage is about how much memory may wait for the garbage collector. Package train counts on it.
const mostGarbage = 128 << 20

// boundGarbage keeps the collector from letting garbage grow as large as all tensors together, which is its habit. Collecting more often
// costs little, for it need not look into tensors. Each collection sets the percentage for the next.
func boundGarbage() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 100
	if n := live[0].Value.Uint64(); n > mostGarbage {
		percent = max(1, int(100*mostGarbage/n))
	}
	debug.SetGCPercent(percent)
	collected := new([16]byte) // large enough to be an allocation of its own
	runtime.SetFinalizer(collected, func(*[16]byte) { boundGarbage() })
}
