package autograd

import "github.com/gobeit/gobeit/tensor"

// use is the first use of a parameter since Reset or since Finished was called for it. Operations that read it were recorded at index `at` or later. Those that
// Checkpoint records again in Backward belong to its node, which stands at `at` or later too.
type use struct {
	at   int
	grad *tensor.Tensor
}

// noteUse notes a use of the parameter with that gradient.
func (t *Tape) noteUse(grad *tensor.Tensor) {
	if t.Finished == nil || t.used[grad] {
		return
	}
	if t.used == nil {
		t.used = map[*tensor.Tensor]bool{}
	}
	t.used[grad] = true
	t.uses = append(t.uses, use{len(t.nodes), grad})
}

// tellFinished tells of the parameters whose first use Backward has gone through.
func (t *Tape) tellFinished() {
	for last := len(t.uses) - 1; last >= 0 && len(t.nodes) <= t.uses[last].at; last-- {
		grad := t.uses[last].grad
		t.uses = t.uses[:last]
		delete(t.used, grad) // a later use belongs to another Backward
		if t.Finished != nil {
			t.Finished(grad)
		}
	}
}

// forgetUses is for Reset.
func (t *Tape) forgetUses() {
	t.uses = t.uses[:0]
	clear(t.used)
}
