package beit

import "math"

// CodeUsage says how a codebook is used.
type CodeUsage struct {
	Codes      int     `json:"codes"`      // K
	Used       int     `json:"used"`       // codes that at least one patch has
	Perplexity float64 `json:"perplexity"` // exp(entropy)
	Entropy    float64 `json:"entropy"`    // of the unigram distribution, in nats
	TopShare   float64 `json:"top_share"`  // fraction of patches that have the most frequent code
}

// UsageOf returns the usage of a codebook of k codes. Negative codes are ignored.
func UsageOf(codes []int32, k int) CodeUsage {
	counts := make([]int, k)
	for _, c := range codes {
		if c >= 0 {
			counts[c]++
		}
	}
	return UsageOfCounts(counts)
}

// UsageOfCounts is UsageOf for the number of patches of each code.
func UsageOfCounts[N int | int64](counts []N) CodeUsage {
	use, total := CodeUsage{Codes: len(counts)}, N(0)
	for _, n := range counts {
		total += n
	}
	for _, n := range counts {
		if n == 0 {
			continue
		}
		p := float64(n) / float64(total)
		use.Used++
		use.Entropy -= p * math.Log(p)
		use.TopShare = max(use.TopShare, p)
	}
	use.Perplexity = math.Exp(use.Entropy)
	return use
}

// WindowTokens is the capacity of a CodeWindow.
const WindowTokens = 65536

// CodeWindow is a ring buffer of the codes of the last training tokens, so that code usage can be measured at any step.
type CodeWindow struct {
	Codes []int32 // at most WindowTokens
	Next  int     // position of the oldest code once the buffer is full
}

// Add appends codes and overwrites the oldest ones.
func (w *CodeWindow) Add(codes []int32) {
	for _, c := range codes {
		if len(w.Codes) < WindowTokens {
			w.Codes = append(w.Codes, c)
			continue
		}
		w.Codes[w.Next] = c
		w.Next = (w.Next + 1) % WindowTokens
	}
}
