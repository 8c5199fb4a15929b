package autograd

import "fmt"

// String formats the shape, whether Backward would compute a gradient, and on the next lines the elements as Tensor.String does.
func (v *Var) String() string {
	if v.tensor() == nil {
		return "<nil>"
	}
	gradient := "no gradient"
	if v.needs {
		gradient = "needs a gradient"
	}
	return fmt.Sprintf("Var %v, %s\n%v", v.Shape(), gradient, v.value)
}
