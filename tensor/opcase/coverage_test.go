package opcase_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

// Every method of Ops has a case, and every gradient a case with a Backward.
func TestEveryOperationHasACase(t *testing.T) {
	// Methods that cases of another name run.
	within := map[string]string{"Unpatchify": "PatchifyGrad"}
	ops := reflect.TypeFor[tensor.Ops]()
	for i := range ops.NumMethod() {
		method := ops.Method(i).Name
		if method == "End" {
			continue
		}
		name := method
		if other, ok := within[method]; ok {
			name = other
		}
		name, gradient := strings.CutSuffix(name, "Grad")
		covered := slices.ContainsFunc(opcase.Cases(), func(c opcase.Case) bool {
			op, _, _ := strings.Cut(c.Name, "/")
			return op == name && (!gradient || c.Backward != nil)
		})
		if !covered {
			t.Errorf("Ops.%s has no case", method)
		}
	}
}
