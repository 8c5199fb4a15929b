package state

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// Keys under which Metadata tells about a file of PyTorch: what the tensors
// stood under, and what stood beside them, such as an optimizer's state. A
// number or text beside them has its value under MetaBeside and its name.
const (
	MetaContainer = "torch.container"
	MetaLeftOut   = "torch.left_out"
	MetaBeside    = "torch.beside."
)

// torchStorages are the types of storages by their class in module torch.
var torchStorages = map[string]DType{
	"DoubleStorage": F64, "FloatStorage": F32, "HalfStorage": F16, "BFloat16Storage": BF16, "LongStorage": I64, "IntStorage": I32,
	"ShortStorage": I16, "CharStorage": I8, "ByteStorage": U8, "BoolStorage": BOOL, "ComplexFloatStorage": C64,
}

// storage is a row of elements outside the pickle, which tensors look into.
type storage struct {
	key    string
	dtype  DType
	first  int64 // element of the stored row that this one begins with
	length int64 // elements
	offset int64 // of the stored row, from the start of the file
}

// torchTensor is a view of a storage.
type torchTensor struct {
	storage        *storage
	first          int64
	shape, strides []int
}

// mostGiven is how many items the lists that are arguments of calls may have together: far above what torch.save writes.
const mostGiven = 1 << 17

// torchHooks says what names a file of PyTorch may mention and what they stand
// for. storage finds what an id of the file means.
func torchHooks(find func(id pickle.Tuple) (*storage, error)) pickle.Hooks {
	given := 0 // items of lists so far, which calls may copy
	return pickle.Hooks{
		Allow: func(c pickle.Class) error {
			if _, ok := torchStorages[c.Name]; ok && c.Module == "torch" || torchCalls[c] != nil || torchModule(c) {
				return nil
			}
			return fmt.Errorf("the file refers to %v, which is no part of weights; nothing of it was run", c)
		},
		Call: func(c pickle.Class, args pickle.Tuple) (any, error) {
			if torchModule(c) {
				return &pickle.Object{Class: c, Args: args}, nil
			}
			call := torchCalls[c]
			if call == nil {
				return nil, errors.New("is called, which weights do not do; nothing was run")
			}
			if len(args) > 0 {
				if l, ok := args[0].(*pickle.List); ok {
					if given += len(l.Items); given > mostGiven { // few bytes can name a long list many times
						return nil, errors.New("is called with long lists too often")
					}
				}
			}
			return call(c, args)
		},
		Persistent: func(id any) (any, error) {
			t, ok := id.(pickle.Tuple)
			if !ok || len(t) < 5 || t[0] != "storage" {
				return nil, errors.New("an object outside the pickle is no storage")
			}
			return find(t)
		},
	}
}

// torchModule reports whether a name is that of a TorchScript class, whose program
// lies beside the weights and is not read.
func torchModule(c pickle.Class) bool {
	return c.Module == "__torch__" || strings.HasPrefix(c.Module, "__torch__.")
}

// torchCall is what a call stands for.
type torchCall func(c pickle.Class, args pickle.Tuple) (any, error)

// torchCalls are the functions and classes that files of weights mention.
var torchCalls = func() map[pickle.Class]torchCall {
	calls := map[pickle.Class]torchCall{
		{Module: "torch._utils", Name: "_rebuild_tensor"}:    rebuildTensor,
		{Module: "torch._utils", Name: "_rebuild_tensor_v2"}: rebuildTensor,
		{Module: "collections", Name: "OrderedDict"}:         newDict,
		{Module: "collections", Name: "defaultdict"}:         newDict,
	}
	for module, names := range map[string]string{
		"torch._utils":      "_rebuild_parameter _rebuild_parameter_with_state",
		"torch.jit._pickle": "build_intlist build_tensorlist build_doublelist build_boollist restore_type_tag",
		"torch":             "Size",
	} {
		for name := range strings.FieldsSeq(names) {
			calls[pickle.Class{Module: module, Name: name}] = firstArgument
		}
	}
	// What checkpoints hold beside weights. It is kept as names and arguments and then left out.
	for module, names := range map[string]string{
		"argparse": "Namespace", "pathlib": "PosixPath WindowsPath PurePosixPath", "_codecs": "encode",
		"builtins": "set frozenset complex", "__builtin__": "set frozenset complex", "types": "SimpleNamespace",
		"numpy": "dtype ndarray", "numpy.core.multiarray": "scalar _reconstruct", "numpy._core.multiarray": "scalar _reconstruct",
		"torch": "device float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 bool contiguous_format channels_last",
	} {
		for name := range strings.FieldsSeq(names) {
			calls[pickle.Class{Module: module, Name: name}] = keepArguments
		}
	}
	return calls
}()

func keepArguments(c pickle.Class, args pickle.Tuple) (any, error) {
	return &pickle.Object{Class: c, Args: args}, nil
}

// firstArgument is what a call returns that only labels its argument.
func firstArgument(_ pickle.Class, args pickle.Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("has no argument")
	}
	return args[0], nil
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

// rebuildTensor is _rebuild_tensor(storage, offset, size, stride), and its second
// version, which has flags after these.
func rebuildTensor(_ pickle.Class, args pickle.Tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("has %d arguments", len(args))
	}
	s, isStorage := args[0].(*storage)
	first, isInt := args[1].(int64)
	shape, err1 := ints(args[2])
	strides, err2 := ints(args[3])
	if !isStorage || !isInt || err1 != nil || err2 != nil || len(shape) != len(strides) || first < 0 {
		return nil, errors.New("arguments describe no tensor")
	}
	if _, err := byteSize(s.dtype, shape); err != nil {
		return nil, err
	}
	n, err := span(shape, strides)
	if err != nil {
		return nil, err
	}
	if n > s.length-first && (n > 0 || first > s.length) {
		return nil, fmt.Errorf("a tensor of shape %v with strides %v from element %d on reaches past the %d elements of storage %s",
			shape, strides, first, s.length, quote(s.key))
	}
	return &torchTensor{s, first, shape, strides}, nil
}

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

// storageOf reads ("storage", class, key, device, elements, …).
func storageOf(id pickle.Tuple) (*storage, error) {
	class, _ := id[1].(pickle.Class)
	dtype, known := torchStorages[class.Name]
	key, isText := id[2].(string)
	n, isInt := id[4].(int64)
	if !known || !isText || !isInt || n < 0 || n > math.MaxInt64/16 {
		return nil, fmt.Errorf("a storage of type %v cannot be read", class)
	}
	return &storage{key: key, dtype: dtype, length: n}, nil
}

// torchFile turns what the pickle holds into a File of size bytes.
func torchFile(r io.ReaderAt, size int64, name string, format Format, root any) (*File, error) {
	c := collector{size: size, h: header{meta: map[string]string{}, entries: map[string]Entry{}}, steps: pickle.MaxOps}
	if o, ok := root.(*pickle.Object); ok && torchModule(o.Class) {
		format = TorchScript
	}
	if err := c.root(root); err != nil {
		return nil, err
	}
	if len(c.leftOut) > 0 {
		c.h.meta[MetaLeftOut] = strings.Join(c.leftOut, ", ")
	}
	return newFile(r, name, format, c.h), nil
}

// collector lists the tensors of a nested value.
type collector struct {
	h       header
	size    int64    // of the file
	total   int64    // bytes of the tensors so far, and of what is known about them
	leftOut []string // what the tensors are not among
	steps   int      // values that may still be visited: lists may be there many times, or in themselves
}

// containers are keys of the dicts that training scripts save, the state dict
// among optimizer, epoch and arguments.
var containers = []string{"model", "module", "state_dict"}

// root lists the tensors of a state dict, bare or within the dict of a training
// script, or of a module.
func (c *collector) root(root any) error {
	switch v := root.(type) {
	case *pickle.Dict:
		for _, key := range containers {
			inner, ok := v.Get(key)
			if d, isDict := inner.(*pickle.Dict); ok && isDict {
				c.h.meta[MetaContainer] = key
				c.beside(v, key)
				return c.dict(d, "", 0)
			}
		}
		return c.dict(v, "", 0)
	case *pickle.Object:
		if torchModule(v.Class) {
			return c.object(v, "", 0)
		}
	}
	return errors.New("the pickle holds neither a dict nor a module; wanted is a state dict")
}

// beside notes what else a training script saved.
func (c *collector) beside(d *pickle.Dict, key string) {
	for i, k := range d.Keys {
		name, ok := k.(string)
		if !ok || name == key {
			continue
		}
		switch v := d.Values[i].(type) {
		case string:
			if len(v) > maxText {
				c.leftOut = append(c.leftOut, name)
				continue
			}
			c.h.meta[MetaBeside+name] = v
		case int64, float64, bool:
			c.h.meta[MetaBeside+name] = fmt.Sprint(v)
		default:
			c.leftOut = append(c.leftOut, name)
		}
	}
}

const (
	maxDepth = 64      // of modules within modules
	maxText  = 1 << 12 // bytes of a text beside the tensors that is kept
)

func (c *collector) visit(depth int) error {
	c.steps--
	if depth > maxDepth || c.steps < 0 {
		return errors.New("dicts lie within one another too often")
	}
	return nil
}

func (c *collector) dict(d *pickle.Dict, prefix string, depth int) error {
	if err := c.visit(depth); err != nil {
		return err
	}
	for i, k := range d.Keys {
		key, ok := k.(string)
		if !ok {
			key = fmt.Sprint(k)
		}
		if len(prefix)+len(key) > maxName {
			return fmt.Errorf("a name begins with %s and has more than %d bytes", quote(prefix+key), maxName)
		}
		if err := c.value(d.Values[i], prefix+key, depth); err != nil {
			return err
		}
	}
	return nil
}

// object lists the tensors among a module's attributes.
func (c *collector) object(o *pickle.Object, prefix string, depth int) error {
	attributes, ok := o.State.(*pickle.Dict)
	if !ok {
		return nil
	}
	return c.dict(attributes, prefix, depth)
}

func (c *collector) value(v any, name string, depth int) error {
	if err := c.visit(depth); err != nil {
		return err
	}
	switch v := v.(type) {
	case *torchTensor:
		return c.tensor(v, name)
	case *pickle.Dict:
		return c.dict(v, name+".", depth+1)
	case *pickle.Object:
		return c.object(v, name+".", depth+1)
	case *pickle.List:
		return c.list(v.Items, name)
	case pickle.Tuple:
		return c.list(v, name)
	}
	return nil // numbers and texts of a module
}

// list notes a list that begins with a tensor: what is in it has no name.
func (c *collector) list(items []any, name string) error {
	if len(items) == 0 {
		return nil
	}
	if _, ok := items[0].(*torchTensor); !ok {
		return nil
	}
	c.leftOut = append(c.leftOut, name)
	return c.charge(name, int64(len(name)))
}

// charge counts bytes that a named thing takes, and what is known about it.
func (c *collector) charge(name string, bytes int64) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	const known = 1024 // bytes of a description, about, without the name
	if c.total > 4*c.size+slack-bytes {
		return fmt.Errorf("tensor %s: the tensors would have more than four times as many bytes as the file", quote(name))
	}
	c.total += bytes + known + int64(len(name))
	return nil
}

// slack is how many bytes more than four times the file its tensors may have: a
// tensor whose rows are all the same takes the place of one.
const slack = 64 << 20

func (c *collector) tensor(t *torchTensor, name string) error {
	if _, ok := c.h.entries[name]; ok {
		return fmt.Errorf("tensor %s stands twice", quote(name))
	}
	bytes, err := byteSize(t.storage.dtype, t.shape)
	if err != nil {
		return fmt.Errorf("tensor %s: %w", quote(name), err)
	}
	if err := c.charge(name, bytes); err != nil {
		return err
	}
	width := int64(t.storage.dtype.Size())
	e := Entry{
		Name: name, DType: t.storage.dtype, Shape: t.shape, Size: bytes, Offset: t.storage.offset + (t.storage.first+t.first)*width,
	}
	if !contiguous(t.shape, t.strides) {
		e.Strides = t.strides
	}
	if e.Size == 0 {
		e.Offset = t.storage.offset
	}
	c.h.entries[name] = e
	return nil
}

// sortedKeys is for texts that list what a map holds.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
