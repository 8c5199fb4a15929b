package train

import (
	"maps"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// readings are what an update left on the device for the metrics. They are read one update later, so that a device that works on its
// own never waits for the host.
type readings struct {
	step    int            // of the update, from 0
	state   *tensor.Tensor // [norm, factor, finite] of the optimizer
	scalars []scalar
	matches []match
	codes   []*tensor.Tensor // Int32, a tokenizer's codes
}

type scalar struct {
	name  string
	value *tensor.Tensor // one element
}

// match compares predicted with true codes.
type match struct {
	name         string
	guess, truth *tensor.Tensor // Int32 [R]
}

// scalar notes a value that a tape owns.
func (r *readings) scalar(name string, v *tensor.Tensor) {
	v.Retain()
	r.scalars = append(r.scalars, scalar{name, v})
}

// match notes guesses, which become the readings', and truths, which a tape owns.
func (r *readings) match(name string, guess, truth *tensor.Tensor) {
	truth.Retain()
	r.matches = append(r.matches, match{name, guess, truth})
}

// code notes codes that a tape owns.
func (r *readings) code(codes *tensor.Tensor) {
	codes.Retain()
	r.codes = append(r.codes, codes)
}

// finite says whether the update's gradient was.
func (r *readings) finite() bool { return r.state.Float32s()[2] == 1 }

// into adds everything to the means.
func (r *readings) into(m means) {
	m.add("grad_norm", float64(r.state.Float32s()[0]), 1)
	for _, s := range r.scalars {
		m.add(s.name, float64(s.value.Item()), 1)
	}
	r.count(m)
}

// count adds the matches to the means.
func (r *readings) count(m means) {
	for _, x := range r.matches {
		hits, truth := 0, x.truth.Ints()
		for i, g := range x.guess.Ints() {
			if g == truth[i] {
				hits++
			}
		}
		m.add(x.name, float64(hits), float64(len(truth)))
	}
}

func (r *readings) release() {
	if r.state != nil {
		r.state.Release()
	}
	for _, s := range r.scalars {
		s.value.Release()
	}
	for _, x := range r.matches {
		x.guess.Release()
		x.truth.Release()
	}
	for _, c := range r.codes {
		c.Release()
	}
}

// means are averages under their names. JSON keeps every bit of them.
type means map[string]*mean

type mean struct {
	Sum    float64 `json:"sum"`
	Weight float64 `json:"weight"`
}

// add takes note of a sum of weight values.
func (m means) add(name string, sum, weight float64) {
	if m[name] == nil {
		m[name] = &mean{}
	}
	m[name].Sum += sum
	m[name].Weight += weight
}

// merge adds what o averages.
func (m means) merge(o means) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		m.add(name, o[name].Sum, o[name].Weight)
	}
}

// values are the averages.
func (m means) values() map[string]float64 {
	v := map[string]float64{}
	for name, x := range m {
		v[name] = x.Sum / x.Weight
	}
	return v
}

// CodeUse describes how often the codes of a codebook are used.
type CodeUse struct {
	Codes      int     `json:"codes"`      // K
	Used       int     `json:"used"`       // codes that some patch got
	Perplexity float64 `json:"perplexity"` // exp(entropy)
	Entropy    float64 `json:"entropy"`    // in nat
	TopShare   float64 `json:"top_share"`  // of the most common code
}

// UseOf counts codes of a codebook of k. Codes below 0 do not count.
func UseOf(codes []int32, k int) CodeUse {
	counts, total := make([]int, k), 0
	for _, c := range codes {
		if c >= 0 {
			counts[c]++
			total++
		}
	}
	use := CodeUse{Codes: k}
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

// windowTokens is over how many tokens usage is measured while training.
const windowTokens = 65536

// window holds the codes of the last tokens.
type window struct {
	codes []int32 // at most windowTokens
	next  int     // where the next code goes once it is full
}

func (w *window) add(codes []int32) {
	for _, c := range codes {
		if len(w.codes) < windowTokens {
			w.codes = append(w.codes, c)
			continue
		}
		w.codes[w.next] = c
		w.next = (w.next + 1) % windowTokens
	}
}
