package main

import (
	"fmt"
	"strings"
)

// loop is a kernel over slices of one length.
//
// A machine makes rounds of loop.vectors vectors, then single vectors, then the tail, which
// is less than a vector. An element therefore meets the same operations wherever it stands,
// and what is added to which accumulator depends on the length alone.
type loop struct {
	name    string
	doc     string
	in, out []string      // slices read and written; a name in both is updated in place
	scalars []string      // float32 parameters, broadcast before the loop
	words   string        // parameter that points to words; "" for none
	vectors int           // vectors in a round of the main loop
	sums    int           // accumulators of each vector of a round
	start   func(i int) V // first value of accumulator i; zero when nil
	narrow  string        // slice of uint16: the length is whole vectors, and there is no tail
	body    func(a args) []V
	finish  func(sums []V)            // after the loop, with the accumulators of the first vector
	join    func(i int, into, from V) // adds accumulator i of another vector; addition when nil
	returns string
}

// args is what a kernel sees of one vector.
type args struct {
	in     []V
	scalar []V
	word   func(i int) word
	sum    []V
}

// slices names the slices of l, each once, in the order of the parameters.
func (l loop) slices() []string {
	var names []string
	seen := map[string]bool{}
	for _, s := range append(append([]string{}, l.out...), l.in...) {
		if !seen[s] {
			seen[s] = true
			names = append(names, s)
		}
	}
	return names
}

// joinSums leaves in the accumulators of the first vector those of all.
func (l loop) joinSums(sums []V, add func(into, from V)) {
	for i := l.sums; i < len(sums); i++ {
		if l.join != nil {
			l.join(i%l.sums, sums[i%l.sums], sums[i])
		} else {
			add(sums[i%l.sums], sums[i])
		}
	}
}

func (l loop) signature() string {
	var params []string
	for _, s := range l.slices() {
		if s == l.narrow {
			params = append(params, s+" []uint16")
		} else {
			params = append(params, s+" []float32")
		}
	}
	for _, s := range l.scalars {
		params = append(params, s+" float32")
	}
	if l.words != "" {
		params = append(params, l.words+" *[9]float32")
	}
	return strings.TrimSpace(fmt.Sprintf("func(%s) %s", strings.Join(params, ", "), l.returns))
}
