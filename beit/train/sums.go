package train

import (
	"cmp"
	"math"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// bucket is how many gradients are added up at once, 25 MB of them.
const bucket = 25 << 20 / 4

// sums adds up the gradients of a set over the processes that train together, a part at a time: each as soon as this step adds nothing more to it,
// while backward goes on.
type sums struct {
	set   *nn.Set
	group *queue
	parts []*part                  // in the order in which they are sent, which is that of all processes
	of    map[*tensor.Tensor][]int // parts that hold a gradient
	next  int                      // part to be sent
}

// part is a range of the flat gradients.
type part struct {
	lo, hi   int
	params   int // with gradients in the range
	first    int // in the order of declaration, of these
	missing  int // params whose gradients are not finished
	values   []float32
	finished func() error // waits for the sum
}

// newSums divides the gradients of a set into parts.
func newSums(set *nn.Set, group *queue, size int) *sums {
	s := &sums{set: set, group: group, of: map[*tensor.Tensor][]int{}}
	total := set.Grads().Size()
	for lo := 0; lo < total; lo += size {
		s.parts = append(s.parts, &part{lo: lo, hi: min(lo+size, total), first: math.MaxInt})
	}
	declared := map[*nn.Param]int{}
	for i, p := range set.Params() {
		declared[p] = i
	}
	for _, p := range set.Flat() {
		for _, x := range s.parts {
			if from := p.Value.Offset(); from < x.hi && from+p.Shape.Size() > x.lo {
				x.params++
				x.first = min(x.first, declared[p])
			}
		}
	}
	// Parameters are declared about as forward uses them, so backward finishes the last ones first.
	slices.SortStableFunc(s.parts, func(a, b *part) int { return cmp.Compare(b.first, a.first) })
	for _, p := range set.Flat() {
		for i, x := range s.parts {
			if from := p.Value.Offset(); from < x.hi && from+p.Shape.Size() > x.lo {
				s.of[p.Grad] = append(s.of[p.Grad], i)
			}
		}
	}
	return s
}

// follow sends parts while the next backward pass on the tape goes on, the last of a step.
func (s *sums) follow(tape *autograd.Tape) {
	s.next = 0
	for _, x := range s.parts {
		x.missing = x.params
	}
	tape.Finished = func(grad *tensor.Tensor) {
		for _, i := range s.of[grad] {
			s.parts[i].missing--
		}
		s.send(func(x *part) bool { return x.missing == 0 })
	}
}

// send sends parts in their order, as long as they may be sent.
func (s *sums) send(may func(x *part) bool) {
	for ; s.next < len(s.parts) && may(s.parts[s.next]); s.next++ {
		x := s.parts[s.next]
		x.values = s.set.Grads().Slice(0, x.lo, x.hi).Float32s()
		x.finished = s.group.begin(func(g dist.Group) error { return g.AllReduce(x.values) })
	}
}

// finish sends what backward did not, and waits until all is added up.
func (s *sums) finish(tape *autograd.Tape) (err error) {
	tape.Finished = nil
	s.send(func(*part) bool { return true })
	s.next = 0
	for _, x := range s.parts {
		if failed := x.finished(); failed != nil {
			err = cmp.Or(err, failed)
		} else {
			s.set.Grads().Slice(0, x.lo, x.hi).Upload(x.values)
		}
		x.values, x.finished = nil, nil
	}
	return err
}
