package state

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// torchStorages are the types of storages by their class in module torch.
var torchStorages = map[string]DType{
	"DoubleStorage": F64, "FloatStorage": F32, "HalfStorage": F16, "BFloat16Storage": BF16, "LongStorage": I64, "IntStorage": I32,
	"ShortStorage": I16, "CharStorage": I8, "ByteStorage": U8, "BoolStorage": BOOL, "ComplexFloatStorage": C64, "ComplexDoubleStorage": C128,
}

// otherStorages are those that a file may have beside: of bytes that tensors read
// as they like, and of quantised numbers.
var otherStorages = map[string]DType{
	"UntypedStorage": U8, "_UntypedStorage": U8, "QInt8Storage": I8, "QUInt8Storage": U8, "QInt32Storage": I32, "QUInt4x2Storage": U8,
	"QUInt2x4Storage": U8,
}

// torchDTypes are the element types that the newest tensors name, by their name in
// module torch.
var torchDTypes = map[string]DType{
	"float64": F64, "float32": F32, "float16": F16, "bfloat16": BF16, "int64": I64, "int32": I32, "int16": I16, "int8": I8, "uint64": U64,
	"uint32": U32, "uint16": U16, "uint8": U8, "bool": BOOL, "complex64": C64, "complex128": C128, "float8_e4m3fn": F8E4M3, "float8_e5m2": F8E5M2,
	"float8_e8m0fnu": F8E8M0, "float8_e4m3fnuz": F8E4M3FNUZ, "float8_e5m2fnuz": F8E5M2FNUZ,
}

// storage is a row of elements outside the pickle, which tensors look into. The
// type of one that this package does not know is empty.
type storage struct {
	key    string
	class  string
	dtype  DType
	first  int64 // element of the stored row that this one begins with
	length int64 // elements
	offset int64 // of the stored row, from the start of the file
}

// torchTensor is a view of a storage.
type torchTensor struct {
	storage        *storage
	dtype          DType // the storage's, or another that its bytes are read as
	first          int64 // element of this type
	shape, strides []int
	unlike         Unlike
	bare           bool // nothing says whether it is to be negated
}

// imaginary reports whether a tensor is the imaginary half of a row of complex
// numbers.
func (t *torchTensor) imaginary() bool {
	step := 2
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.strides[i] != step {
			return false
		}
		step *= t.shape[i]
	}
	switch t.dtype {
	case F16, F32, F64:
		return t.first == 1 && int64(step) == t.storage.length && t.storage.first == 0
	}
	return false
}

// oddTensor is a tensor that cannot be read, such as a sparse one. It has a kind, or the
// class of its storage or of its elements as the file has it.
type oddTensor struct {
	kind  DType
	class string
}

// dtype says what the tensor is.
func (t *oddTensor) dtype() DType {
	if t.kind != "" {
		return t.kind
	}
	return DType("a tensor of type " + quote(t.class))
}

// Limits of a file, far above what torch.save writes.
const (
	mostGiven = 1 << 17 // items of the lists that are arguments of calls, together
	mostAxes  = 1 << 21 // axes of its tensors, together
)

// torchHooks says what the calls of a file of PyTorch stand for. find finds what
// an id of the file means.
func torchHooks(find func(id pickle.Tuple) (*storage, error)) pickle.Hooks {
	given := 0 // items of lists so far, which calls may copy
	axes := 0  // of tensors so far, each with a size and a stride
	return pickle.Hooks{
		Call: func(c pickle.Class, args pickle.Tuple) (any, error) {
			c, args = subclassed(c, args)
			if attacks(c) {
				return nil, errors.New("is called where PyTorch loads the file, which no weights do: it is an attack; nothing was run")
			}
			call := torchCalls[c]
			if call == nil {
				return &pickle.Object{Class: c, Args: args}, nil
			}
			if len(args) > 0 {
				if l, ok := args[0].(*pickle.List); ok {
					if given += len(l.Items); given > mostGiven { // few bytes can name a long list many times
						return nil, errors.New("is called with long lists too often")
					}
				}
			}
			v, err := call(c, args)
			if t, ok := v.(*torchTensor); ok && err == nil {
				if axes += len(t.shape); axes > mostAxes { // few bytes can name a long shape many times
					return nil, errors.New("makes tensors of many axes too often")
				}
			}
			return v, err
		},
		Persistent: func(id any) (any, error) {
			if text, ok := id.(string); ok && len(text) <= maxName { // a pickle can give one long text many times
				id = idOf(text)
			}
			t, ok := id.(pickle.Tuple)
			switch {
			case !ok || len(t) < 2:
				return nil, errors.New("an object outside the pickle is no storage")
			case t[0] == "module": // the class of a module, with its source
				return t[1], nil
			case t[0] != "storage" || len(t) < 5:
				return nil, errors.New("an object outside the pickle is no storage")
			}
			return find(t)
		},
	}
}

// idText is the id of a storage in protocol 0, where Python's text of the tuple
// stands for it.
var idText = regexp.MustCompile(`^\('storage', <class '([\w.]+)\.(\w+)'>, '([^']*)', '([^']*)', (\d+)(?:, (?:None|\('([^']*)', (\d+), (\d+)\)))?\)$`)

// idOf returns the tuple that a text stands for, or nil.
func idOf(text string) any {
	m := idText.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return -1 // too large, and refused as negative
		}
		return n
	}
	id := pickle.Tuple{"storage", pickle.Class{Module: m[1], Name: m[2]}, m[3], m[4], number(m[5])}
	if m[7] != "" {
		id = append(id, pickle.Tuple{m[6], number(m[7]), number(m[8])})
	}
	return id
}

// attacks reports whether a call has no place in a file of weights and does harm
// where it is run.
func attacks(c pickle.Class) bool {
	switch c.Module {
	case "os", "posix", "nt":
		return hasAnyPrefix(c.Name, "system", "popen", "exec", "spawn", "posix_spawn", "startfile", "remove", "unlink", "rmdir", "kill", "fork")
	case "builtins", "__builtin__":
		return slices.Contains([]string{"eval", "exec", "execfile", "compile", "open", "__import__", "breakpoint", "input"}, c.Name)
	case "subprocess", "commands", "pty", "runpy", "socket", "shutil", "webbrowser", "ctypes":
		return true
	}
	return false
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// torchModule reports whether a name is that of a TorchScript class, whose program
// lies beside the weights and is not read.
func torchModule(c pickle.Class) bool {
	return c.Module == "__torch__" || strings.HasPrefix(c.Module, "__torch__.")
}

// storageOf reads ("storage", class, key, device, elements, …).
func storageOf(id pickle.Tuple) (*storage, error) {
	class, isClass := id[1].(pickle.Class)
	key, isText := id[2].(string)
	n, isInt := id[4].(int64)
	if !isClass || !isText || !isInt || n < 0 || n > maxElements {
		return nil, fmt.Errorf("a storage of type %v cannot be read", class)
	}
	dtype, known := torchStorages[class.Name]
	if !known {
		dtype = otherStorages[class.Name]
	}
	return &storage{key: key, class: class.Name, dtype: dtype, length: n}, nil
}

// bytes is how many bytes a storage has, 0 where its type is not known.
func (s *storage) bytes() int64 { return s.length * int64(s.dtype.Size()) }
