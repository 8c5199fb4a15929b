package opcase_test

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

// Each input of each case is left out once: the operation, or the copy that the case makes first, says so, unless it can do without.
func TestNilInputs(t *testing.T) {
	dev := tensor.CPU()
	refused := 0
	for _, c := range opcase.Cases() {
		if c.FLOPs > 1e4 {
			continue // the same calls as in smaller cases
		}
		for i := range c.Inputs {
			in := opcase.Prepare(c).Upload(dev, 0)
			in[i] = nil
			func() {
				defer func() {
					switch err := recover().(type) {
					case nil:
					case *tensor.Error:
						if !strings.HasSuffix(err.Reason, " is nil") && !strings.Contains(err.Reason, "are nil") {
							t.Errorf("%s without input %d: %v", c.Name, i, err)
						}
						refused++
					default:
						if e, ok := err.(*tensor.ShapeError); !ok || e.Op != "Linear" { // gamma and keep need a residual
							t.Errorf("%s without input %d: %v", c.Name, i, err)
						}
					}
				}()
				c.Forward(dev, in)
			}()
		}
	}
	if refused < 500 {
		t.Errorf("%d inputs were refused", refused)
	}
}
