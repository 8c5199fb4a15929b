package tensor

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

//go:generate go run ./internal/gen functions

// named is the operation that the panics of a function name: itself, but for one that stands for another.
func named(function string) string { return strings.TrimSuffix(function, "Shape") }

// needed are the places of the tensors that a function cannot do without, among all in its arguments; a function that is not here needs all.
var needed = map[string][]int{
	"UnaryGrad": {0, 2}, // of exp: dy and y
	"Linear":    {1, 2}, "LinearGrad": {4, 5, 6}, "Attention": {}, "AttentionGrad": {2, 3, 4},
	"Conv2D": {1, 2}, "Conv2DGrad": {3, 4, 5}, "ConvTranspose2D": {1, 2}, "ConvTranspose2DGrad": {3, 4, 5},
	"BatchNormGrad": {1, 2, 3, 4, 5}, "LayerNorm": {3, 4, 5}, "LayerNormGrad": {3, 4, 5, 6, 7}, "CrossEntropy": {2}, "CrossEntropyGrad": {0, 2, 3},
}

// Functions that get nil in place of a tensor or a device panic with their name, and say what is nil.
func TestNilPanicsNamingTheFunction(t *testing.T) {
	some := Zeros(CPU(), 2)
	for name, f := range functions {
		count := 0
		panicOf(reflect.ValueOf(f), func() *Tensor { count++; return some })
		for place := range count {
			i := -1
			panicked := panicOf(reflect.ValueOf(f), func() *Tensor {
				if i++; i == place {
					return nil
				}
				return some
			})
			err, ok := panicked.(*Error)
			says := ok && err.Op == named(name) && strings.HasSuffix(err.Reason, " is nil")
			if places, ok := needed[name]; says != (!ok || slices.Contains(places, place)) {
				t.Errorf("%s, tensor %d is nil: %v", name, place, panicked)
			}
		}
	}
	dev := CPU()
	x, v := Zeros(dev, 2, 2), Zeros(dev, 2)
	for want, f := range map[string]func(){
		"tensor: Concat: an input is nil":                                 func() { Concat(0, x, nil) },
		"tensor: Add: b is nil":                                           func() { Add(x, nil) },
		"tensor: Linear: w is nil":                                        func() { Linear(LinearArgs{X: x}) },
		"tensor: LinearGrad: dy is nil":                                   func() { LinearGrad(LinearGradArgs{X: x, W: x}) },
		"tensor: Attention: qkv is nil":                                   func() { Attention(AttentionArgs{Bias: x}) },
		"tensor: Attention: kv is nil":                                    func() { Attention(AttentionArgs{Q: x}) },
		"tensor: AttentionGrad: q is nil":                                 func() { AttentionGrad(AttentionGradArgs{DOut: x, Out: x, LSE: x, KV: x}) },
		"tensor: LayerNormGrad: rstd is nil":                              func() { LayerNormGrad(LayerNormGradArgs{DY: x, X: x, W: v, Mean: v}) },
		"tensor: UnaryGrad: x is nil":                                     func() { UnaryGrad(UnaryGELU, x, nil, nil) },
		"tensor: CrossEntropy: labels and soft are nil: want one of them": func() { CrossEntropy(CrossEntropyArgs{Logits: x}) },
		"tensor: CrossEntropyGrad: lse is nil":                            func() { CrossEntropyGrad(v, CrossEntropyArgs{Logits: x, Soft: x}) },
		"tensor: To: the device is nil":                                   func() { x.To(nil) },
		"tensor: New: the device is nil":                                  func() { New(&Device{}, 2) },
		"tensor: Add: the tensor is a Tensor{}, which has no memory: use New or FromSlice": func() { Add(x, &Tensor{}) },
	} {
		if got := recovered(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// So do methods, but for those that any tensor answers.
func TestMethodsOfANilTensor(t *testing.T) {
	for reason, x := range map[string]*Tensor{"the tensor is nil": nil, "the tensor is a Tensor{}, which has no memory: use New or FromSlice": {}} {
		v := reflect.ValueOf(x)
		for i := range v.NumMethod() {
			switch name := v.Type().Method(i).Name; name {
			case "Live":
				if x.Live() {
					t.Error("a tensor without memory is live")
				}
			case "String":
				if got, want := x.String(), map[bool]string{true: "<nil>", false: "Tensor{}"}[x == nil]; got != want {
					t.Errorf("prints %q, want %q", got, want)
				}
			default:
				err, ok := panicOf(v.Method(i), func() *Tensor { return nil }).(*Error)
				if !ok || err.Op != name || err.Reason != reason && err.Reason != "the tensor is nil" {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// A mistake in shapes or dtypes is reported under the name of the function that was called, not of one that it calls.
func TestMistakesNameTheFunction(t *testing.T) {
	dev := CPU()
	shapes := []Shape{{2, 3, 5}, {7, 11}, {13}, {17, 19}, {23}, {29}, {31}, {37}, {41}, {43}, {47}, {53}, {59}}
	made := map[string]bool{
		"New": true, "NewOf": true, "Zeros": true, "Full": true, "FromSlice": true, "FromInts": true, "Arange": true, "Linspace": true,
		"Cast": true, "Flip": true, "OneHot": true, "Prefetch": true, // take tensors of any shape, also of Int32
	}
	for _, dtype := range []DType{Int32, Float32} {
		for name, f := range functions {
			i := 0
			panicked := panicOf(reflect.ValueOf(f), func() *Tensor {
				i++
				return NewOf(dev, dtype, shapes[i-1]...)
			})
			switch err := panicked.(type) {
			case *ShapeError:
				if err.Op != named(name) {
					t.Errorf("%s: %v", name, err)
				}
			case nil:
				if !made[name] && (dtype == Int32 || i > 1) {
					t.Errorf("%s takes %d tensors %s of any shape", name, i, dtype)
				}
			default:
				t.Errorf("%s: %v", name, panicked)
			}
		}
	}
}

// panicOf calls a function with zero arguments, but for the CPU and what next gives as tensors, and returns the value of its panic.
func panicOf(f reflect.Value, next func() *Tensor) (panicked any) {
	var args []reflect.Value
	for i := range f.Type().NumIn() {
		arg := reflect.New(f.Type().In(i)).Elem()
		setTensors(arg, next)
		args = append(args, arg)
	}
	defer func() { panicked = recover() }()
	if f.Type().IsVariadic() {
		f.CallSlice(args)
	} else {
		f.Call(args)
	}
	return nil
}

// setTensors sets the tensors of an argument, also those in structs, to what next gives, and a device to the CPU if that is not nil.
func setTensors(arg reflect.Value, next func() *Tensor) {
	switch arg.Type() {
	case reflect.TypeFor[*Tensor]():
		arg.Set(reflect.ValueOf(next()))
	case reflect.TypeFor[[]*Tensor]():
		arg.Set(reflect.ValueOf([]*Tensor{next(), next()}))
	case reflect.TypeFor[*Device]():
		if next() != nil {
			arg.Set(reflect.ValueOf(CPU()))
		}
	default:
		for i := 0; arg.Kind() == reflect.Struct && i < arg.NumField(); i++ {
			setTensors(arg.Field(i), next)
		}
	}
}
