package opcase_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

// Every method of Backend that computes has a case, and every gradient a case with a Backward.
func TestEveryOperationHasACase(t *testing.T) {
	// What a backend does besides computing. The transfers carry the numbers of every case.
	notOperations := []string{
		"Name", "Report", "Heeds", "Sync", "Alloc", "Free", "Poison", "Upload", "UploadInts", "Download", "DownloadInts",
	}
	// Methods that cases of another name run.
	within := map[string]string{"Unpatchify": "PatchifyGrad"}
	backend := reflect.TypeFor[tensor.Backend]()
	for i := range backend.NumMethod() {
		method := backend.Method(i).Name
		if slices.Contains(notOperations, method) {
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
			t.Errorf("Backend.%s has no case", method)
		}
	}
}
