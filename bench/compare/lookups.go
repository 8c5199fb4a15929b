package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// measureLookups writes a table of the codebook lookup, which has no peer here.
func measureLookups(page *bytes.Buffer, rounds, maxThreads int) error {
	fmt.Fprint(page, "\n## Codebook lookup\n\nNearest of 8192 codes of 32 dimensions.\n\n| threads | tokens | GFLOP/s | of peak |\n|---|---|---|---|\n")
	for threads := 1; threads <= maxThreads; threads++ {
		tensor.SetThreads(threads)
		for _, c := range bench.Suite() {
			if !strings.HasPrefix(c.Name, "NearestCode/") {
				continue
			}
			r, err := bench.Measure(context.Background(), tensor.CPU(), c, rounds)
			if err != nil {
				return err
			}
			fmt.Fprintf(page, "| %d | %d | %.1f | %.0f %% |\n", threads, c.Codes, r.GFLOPs, 100*r.OfPeak)
		}
	}
	return nil
}
