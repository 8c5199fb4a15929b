package state_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/nn/state"
)

func Example() {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")

	// Save: whole or not at all.
	err = state.WriteFileAtomic(path, func(w io.Writer) error {
		return state.WriteSafetensors(w, map[string]string{"step": "100"}, []state.Named{
			{Name: "head.weight", DType: state.F32, Shape: []int{1, 2}, Float32s: []float32{0.5, -1}},
			{Name: "head.bias", DType: state.F32, Shape: []int{1}, Float32s: []float32{3}},
		})
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	f, err := state.OpenSafetensors(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	weight, err := f.Float32s("head.weight")
	fmt.Println(f.Names(), f.Metadata()["step"], weight, err)
	// Output: [head.bias head.weight] 100 [0.5 -1] <nil>
}

func ExampleWriteChecked() {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	err = state.WriteFileAtomic(path, func(w io.Writer) error {
		return state.WriteChecked(w, nil, []state.Named{{Name: "bias", DType: state.F32, Shape: []int{1}, Float32s: []float32{3}}})
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	f, err := state.OpenVerified(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Names(), f.Checked())
	f.Close()

	// One bit of the tensor is damaged.
	text, _ := os.ReadFile(path)
	text[len(text)-1] ^= 1
	os.WriteFile(path, text, 0o666)
	_, err = state.OpenVerified(path)
	fmt.Println(errors.Is(err, state.ErrDamaged))
	// Output:
	// [bias] true
	// true
}

func ExampleLoad() {
	f, err := savedModel()
	if err != nil {
		fmt.Println(err)
		return
	}
	bias := make([]float32, 2)
	slots := []state.Slot{{
		Name: "bias", Shape: []int{2},
		Set: func(values []float32) error { copy(bias, values); return nil },
	}}

	_, err = state.Load(slots, f, nil)
	fmt.Println(err)

	// Say so when a tensor is to be left out.
	report, err := state.Load(slots, f, func(name string) (string, bool) { return name, name != "weight" })
	fmt.Println(report, err)
	fmt.Println(bias)
	// Output:
	// state: loading model: tensors do not fit: 1 unexpected ("weight")
	// 1 loaded
	// 1 left out:
	//   "weight" <nil>
	// [3 4]
}

func savedModel() (*state.File, error) {
	var b bytes.Buffer
	err := state.WriteSafetensors(&b, nil, []state.Named{
		{Name: "weight", DType: state.F32, Shape: []int{1}, Float32s: []float32{1}},
		{Name: "bias", DType: state.F32, Shape: []int{2}, Float32s: []float32{3, 4}},
	})
	if err != nil {
		return nil, err
	}
	return state.ReadSafetensors(bytes.NewReader(b.Bytes()), int64(b.Len()), "model")
}
