package autograd

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Einsum by its definition: a sum over all places of all axes.
func TestEinsum(t *testing.T) {
	dev := tensor.CPU()
	sizes := map[byte]int{'a': 2, 'b': 3, 'c': 4, 'd': 5, 'e': 2}
	shape := func(letters string) (s tensor.Shape) {
		for i := range len(letters) {
			s = append(s, sizes[letters[i]])
		}
		return s
	}
	for _, s := range [][3]string{
		{"ab", "bc", "ac"}, {"ab", "cb", "ca"}, {"abd", "acd", "abc"}, {"abcd", "abed", "aceb"}, {"ab", "cd", "dbca"}, {"ab", "ab", ""},
		{"ab", "ab", "ba"}, {"abc", "bd", "da"}, {"a", "a", "a"}, {"", "ab", "ba"}, {"abc", "d", "db"},
	} {
		left, right, out := s[0], s[1], s[2]
		a, b := random(dev, 1, -1, 1, shape(left)...), random(dev, 2, -1, 1, shape(right)...)
		want := make([]float64, shape(out).Size())
		letters := "abcde"
		letters = keep(letters, func(l byte) bool { return among(left+right, l) })
		for i := range shape(letters).Size() {
			at, rest := map[byte]int{}, i
			for k := range len(letters) {
				at[letters[k]], rest = rest%sizes[letters[k]], rest/sizes[letters[k]]
			}
			place := func(axes string) (p int) {
				for k := range len(axes) {
					p = p*sizes[axes[k]] + at[axes[k]]
				}
				return p
			}
			want[place(out)] += float64(a.Float32s()[place(left)]) * float64(b.Float32s()[place(right)])
		}
		spec := left + "," + right + " -> " + out
		tape := NewTape(dev)
		y := Einsum(spec, tape.Constant(a), tape.Constant(b)).Value()
		if !y.Shape().Equal(shape(out)) {
			t.Errorf("%s gives shape %v", spec, y.Shape())
		}
		for i, got := range y.Float32s() {
			if math.Abs(float64(got)-want[i]) > 1e-5 {
				t.Errorf("%s: element %d is %g, want %g", spec, i, got, want[i])
			}
		}
		tape.Reset()
		if err := CheckGradients(dev, 1e-3, func(in []*Var) *Var { return Einsum(spec, in[0], in[1]) }, a, b); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func TestEinsumRefusesWhatDoesNotFit(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	x, y := tape.Constant(tensor.Zeros(dev, 2, 3)), tape.Constant(tensor.Zeros(dev, 3, 4))
	for spec, reason := range map[string]string{
		"ab,bc":      `want two factors and a result, such as "ij,jk->ik"`,
		"abbc->ac":   `want two factors and a result, such as "ij,jk->ik"`,
		"ab,abc->ac": "3 letters for 2 axes",
		"ab,ac->bc":  "the axes a have sizes 2 and 3",
		"aa,bc->bc":  "the axes a have sizes 2 and 3",
		"ab,cc->a":   "the axes c have sizes 3 and 4",
		"ab,bc->aca": "a stands twice",
		"ab,bc->ad":  "d is an axis of no factor",
		"a.,.c->ac":  "'.' is no letter",
	} {
		if got, want := panicText(func() { Einsum(spec, x, y) }), `tensor: Einsum: [2 3] x [3 4]: "`+spec+`": `+reason; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
