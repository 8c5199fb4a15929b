package state

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// torchCall is what a call stands for.
type torchCall func(c pickle.Class, args pickle.Tuple) (any, error)

// torchCalls are the functions and classes that mean something in files of
// weights.
var torchCalls = func() map[pickle.Class]torchCall {
	calls := map[pickle.Class]torchCall{
		{Module: "collections", Name: "OrderedDict"}: newDict,
		{Module: "collections", Name: "defaultdict"}: newDict,
	}
	for _, row := range []struct {
		module, names string
		call          torchCall
	}{
		{"torch._utils", "_rebuild_tensor _rebuild_tensor_v2", rebuildTensor},
		{"torch._utils", "_rebuild_tensor_v3", rebuildTensor3},
		{"torch._utils", "_rebuild_parameter _rebuild_parameter_with_state _rebuild_device_tensor_from_cpu_tensor", firstArgument},
		{"torch.jit._pickle", "build_intlist build_tensorlist build_doublelist build_boollist restore_type_tag", firstArgument},
		{"torch", "Size", firstArgument},
		{"torch._utils", "_rebuild_sparse_tensor _rebuild_sparse_csr_tensor", unreadable("a sparse tensor")},
		{"torch._utils", "_rebuild_qtensor", unreadable("a quantised tensor")},
		{"torch._utils", "_rebuild_nested_tensor", unreadable("a nested tensor")},
		{"torch._utils", "_rebuild_meta_tensor_no_storage", unreadable("a meta tensor, without values,")},
		{"torch._utils", "_rebuild_device_tensor_from_numpy _rebuild_xla_tensor _rebuild_mlc_tensor _rebuild_wrapper_subclass", unreadable("a tensor of another device or class")},
	} {
		for name := range strings.FieldsSeq(row.names) {
			calls[pickle.Class{Module: row.module, Name: name}] = row.call
		}
	}
	return calls
}()

// firstArgument is what a call returns that only labels its argument.
func firstArgument(_ pickle.Class, args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("has no argument")
	}
	return args[0], nil
}

// unreadable makes a tensor that cannot be read.
func unreadable(kind DType) torchCall {
	return func(pickle.Class, pickle.Tuple) (any, error) { return &oddTensor{kind: kind}, nil }
}

// newDict makes a dict of what an OrderedDict was pickled with: nothing, or a
// list of pairs.
func newDict(_ pickle.Class, args pickle.Tuple) (any, error) {
	d := &pickle.Dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*pickle.List)
	if !ok { // the factory of a defaultdict
		return d, nil
	}
	for _, item := range pairs.Items {
		var pair []any
		switch item := item.(type) {
		case pickle.Tuple:
			pair = item
		case *pickle.List:
			pair = item.Items
		}
		if len(pair) != 2 {
			return nil, errors.New("an item is no pair")
		}
		if err := d.Set(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// subclassed is what _rebuild_from_type_v2(function, class, arguments, state) calls to
// make a tensor, for one of a class of its own.
func subclassed(c pickle.Class, args pickle.Tuple) (pickle.Class, pickle.Tuple) {
	if c.Module != "torch._tensor" && c.Module != "torch.tensor" || !strings.HasPrefix(c.Name, "_rebuild_from_type") || len(args) < 3 {
		return c, args
	}
	function, isClass := args[0].(pickle.Class)
	given, isTuple := args[2].(pickle.Tuple)
	if !isClass || !isTuple {
		return c, args
	}
	return function, given
}

// rebuildTensor is _rebuild_tensor(storage, offset, size, stride), and its second
// version, which has requires_grad, hooks and metadata after these.
func rebuildTensor(_ pickle.Class, args pickle.Tuple) (any, error) {
	s, err := storageArgument(args)
	if err != nil {
		return nil, err
	}
	if s.dtype == "" {
		return &oddTensor{class: s.class}, nil
	}
	const metadata = 6 // is there only where something is special
	t, err := newTensor(s, s.dtype, args, metadata)
	if err != nil {
		return nil, err
	}
	t.bare = len(args) <= metadata
	return t, nil
}

// rebuildTensor3 is the third version, for types without a storage of their own:
// the type stands between hooks and metadata.
func rebuildTensor3(_ pickle.Class, args pickle.Tuple) (any, error) {
	s, err := storageArgument(args)
	if err != nil {
		return nil, err
	}
	if len(args) < 7 {
		return nil, fmt.Errorf("has %d arguments", len(args))
	}
	class, _ := args[6].(pickle.Class)
	dtype, known := torchDTypes[class.Name]
	if !known || s.dtype == "" {
		return &oddTensor{class: class.Name}, nil
	}
	t, err := newTensor(s, dtype, args, 7)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func storageArgument(args pickle.Tuple) (*storage, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("has %d arguments", len(args))
	}
	s, ok := args[0].(*storage)
	if !ok {
		return nil, errNoTensor
	}
	return s, nil
}

var errNoTensor = errors.New("arguments describe no tensor")

// newTensor is the view of a storage that arguments describe. The metadata may be
// at the given place.
func newTensor(s *storage, dtype DType, args pickle.Tuple, metadata int) (*torchTensor, error) {
	first, isInt := args[1].(int64)
	shape, err1 := ints(args[2])
	strides, err2 := ints(args[3])
	if !isInt || err1 != nil || err2 != nil || len(shape) != len(strides) || first < 0 || first > maxElements {
		return nil, errNoTensor
	}
	if _, err := byteSize(dtype, shape); err != nil {
		return nil, err
	}
	n, err := span(shape, strides)
	if err != nil {
		return nil, err
	}
	if length := s.bytes() / int64(dtype.Size()); n > length-first && (n > 0 || first > length) {
		return nil, fmt.Errorf("a tensor of shape %v with strides %v from element %d on reaches past the %d elements of storage %s",
			shape, strides, first, length, quote(s.key))
	}
	t := &torchTensor{storage: s, dtype: dtype, first: first, shape: shape, strides: strides}
	if len(args) > metadata {
		if d, ok := args[metadata].(*pickle.Dict); ok {
			neg, _ := d.Get("neg")
			conj, _ := d.Get("conj")
			t.unlike = Unlike{Negative: neg == true, Conjugate: conj == true}
		}
	}
	return t, nil
}

// maxElements bounds numbers of elements so that their bytes do not overflow.
const maxElements = math.MaxInt64 / 32

// ints converts a tuple or list of integers, as many as a tensor has axes.
func ints(v any) ([]int, error) {
	items, ok := v.(pickle.Tuple)
	if l, isList := v.(*pickle.List); isList {
		items, ok = l.Items, true
	}
	if !ok || len(items) > maxRank {
		return nil, errors.New("no short list of integers")
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok || n > math.MaxInt {
			return nil, errors.New("no short list of integers")
		}
		out[i] = int(n)
	}
	return out, nil
}
