package autograd

import "github.com/gobeit/gobeit/tensor"

// rule is what the tape knows about one kind of operation. It stands beside the function that records it.
type rule struct {
	name string // of the package's function

	// grad gets the node and the gradient dy of its output, which it must not change. It computes the gradient of each input in one of three
	// ways: dest (a backend writes it), accept (a new tensor) or pass (dy itself).
	grad func(n *node, dy *tensor.Tensor)

	// takesKept: grad takes inputs as Rematerialize left them, and restores those that it cannot use so.
	takesKept bool

	// readsOutput reports whether grad uses the value of the node's output. nil: it never does.
	readsOutput func(n *node) bool

	// recompute returns a function that computes the output again, cheaply; it returns nil where there is none. nil: there never is.
	recompute func(n *node) func() *tensor.Tensor
}

// rules are all rules, for a test that looks for those without a case.
var rules []*rule

// newRule adds a rule to the list.
func newRule(r rule) *rule {
	rules = append(rules, &r)
	return &r
}

// always is for rules that read the value of every output.
func always(*node) bool { return true }

// only is the place of the input of operations that have one.
const only = 0
