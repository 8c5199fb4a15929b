package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/bench"
	"github.com/gobeit/gobeit/tensor"
)

// measureLookups writes a table of the codebook lookup, which has no peer here: beside it stands a matmul with an argmax of its rows.
func measureLookups(page *bytes.Buffer, rounds, maxThreads int) error {
	fmt.Fprint(page, "\n### Codebook lookup\n\nThousands of tokens per second.\n\n"+
		"| threads | tokens | codes | dimensions | fused | of peak | matmul, then argmax | times as fast |\n|---|---|---|---|---|---|---|---|\n")
	for threads := 1; threads <= maxThreads; threads++ {
		tensor.SetThreads(threads)
		var fused bench.Result
		for _, c := range bench.Suite(tensor.CPU()) {
			if c.Benchmark != bench.CodebookLookup {
				continue
			}
			r, err := bench.Measure(context.Background(), c, rounds)
			if err != nil {
				return err
			}
			if strings.Contains(c.Params, "by=fused") { // it stands before its other form
				fused = r
				continue
			}
			var tokens, codes, dim int
			if _, err := fmt.Sscanf(c.Params, "tokens=%d/codes=%d/dim=%d/", &tokens, &codes, &dim); err != nil {
				return fmt.Errorf("%s: %w", c.Name(), err)
			}
			fmt.Fprintf(page, "| %d | %d | %d | %d | %.1f | %.0f %% | %.1f | %.2f |\n",
				threads, tokens, codes, dim, fused.Tokens/1e3, 100*fused.OfPeak, r.Tokens/1e3, fused.Tokens/r.Tokens)
		}
	}
	return nil
}
