package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Limits of one pickle. A checkpoint of ViT-L with its optimizer's state has
// about 200 kB and 80,000 operations. A script that keeps the loss of every step
// adds a million.
const (
	MaxBytes = 16 << 20 // without long texts
	MaxOps   = 1 << 22  // where those that take more memory count several times
)

// MaxText is how many bytes a text or byte string has at most that is kept, such as
// an array of NumPy. For a longer one stands a Long. In protocol 0 its line counts,
// as it is written.
const MaxText = 1 << 20

// Hooks say what a pickle's calls and references stand for.
type Hooks struct {
	// Call returns what calling a function, or making an instance of a class,
	// stands for: an *Object where it means nothing to the caller.
	Call func(c Class, args Tuple) (any, error)
	// Persistent returns what stands for an object that is stored outside the
	// pickle. The id is text in protocol 0. nil: there are none.
	Persistent func(id any) (any, error)
}

// Read runs the pickle at the start of r and returns its value and its length in
// bytes. At most size bytes are read.
func Read(r io.Reader, size int64, hooks Hooks) (value any, n int64, err error) {
	m := &machine{in: input{r: bufio.NewReader(io.LimitReader(r, size)), left: size, kept: MaxBytes}, hooks: hooks, memo: map[int]any{}}
	if value, err = m.run(); err != nil {
		return nil, 0, fmt.Errorf("pickle: at byte %d: %w", size-m.in.left, err)
	}
	return value, size - m.in.left, nil
}

// run carries out operations up to the one that ends the program.
func (m *machine) run() (any, error) {
	for ops := 0; ops < MaxOps; {
		code, err := m.in.byte()
		if err != nil {
			return nil, err
		}
		if code == opStop {
			return m.pop()
		}
		if err := m.step(code); err != nil {
			return nil, err
		}
		ops += cost(code)
	}
	return nil, fmt.Errorf("more than %d operations", MaxOps)
}

// machine is the stack machine. marks are heights of the stack.
type machine struct {
	in    input
	hooks Hooks
	stack []any
	marks []int
	memo  map[int]any
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// floor is the height that nothing may be taken from below.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

var errStack = errors.New("the stack is empty")

func (m *machine) pop() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errStack
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errStack
	}
	return m.stack[len(m.stack)-1], nil
}

// popMark takes all that was pushed since the last mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("there is no mark")
	}
	at := m.floor()
	items := append([]any{}, m.stack[at:]...)
	m.stack, m.marks = m.stack[:at], m.marks[:len(m.marks)-1]
	return items, nil
}

// tuple replaces the n topmost values by a tuple of them.
func (m *machine) tuple(n int) error {
	at := len(m.stack) - n
	if at < m.floor() {
		return errStack
	}
	t := append(Tuple{}, m.stack[at:]...)
	m.stack = m.stack[:at]
	return m.push(t)
}

func (m *machine) put(at int) error {
	v, err := m.top()
	m.memo[at] = v
	return err
}

func (m *machine) get(at int) error {
	v, ok := m.memo[at]
	if !ok {
		return fmt.Errorf("nothing was stored under %d", at)
	}
	return m.push(v)
}

// reduce replaces a callee and its arguments by what the call stands for.
func (m *machine) reduce() error {
	both, err := m.popN(2)
	if err != nil {
		return err
	}
	args, ok := both[1].(Tuple)
	if !ok {
		return fmt.Errorf("a %T is called with a %T", both[0], both[1])
	}
	return m.call(both[0], args)
}

// call pushes what a call stands for. What the call of an object gives, such as
// that of a function found by getattr, is an object of no name.
func (m *machine) call(callee any, args Tuple) error {
	switch c := callee.(type) {
	case Class:
		v, err := m.hooks.Call(c, args)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		return m.push(v)
	case *Object:
		return m.push(&Object{Args: args})
	}
	return fmt.Errorf("a %T is called", callee)
}

// build sets the attributes of the value on the stack. Only those of an object
// are kept: in a dict PyTorch keeps versions of modules there.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *Object:
		v.State = state
	case nil, bool, int64, float64, string:
		return fmt.Errorf("attributes of a %T are set", v)
	}
	return nil
}

// extend adds items to the list on the stack. Those of a set or an object, such as a
// deque, are dropped.
func (m *machine) extend(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *List:
		v.Items = append(v.Items, items...)
	case *Object, Set:
	default:
		return fmt.Errorf("values are added to a %T", v)
	}
	return nil
}

// setItems adds keys and values, one after another, to the dict on the stack, or
// to an object that is one.
func (m *machine) setItems(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if o, isObject := v.(*Object); isObject {
		if o.Dict == nil {
			o.Dict = &Dict{}
		}
		d, ok = o.Dict, true
	}
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("%d keys and values are added to a %T", len(items), v)
	}
	for i := 0; i < len(items); i += 2 {
		if err := d.Set(items[i], items[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// popN takes the n topmost values, in their order.
func (m *machine) popN(n int) ([]any, error) {
	if err := m.tuple(n); err != nil {
		return nil, err
	}
	v, err := m.pop()
	if err != nil {
		return nil, err
	}
	return v.(Tuple), nil
}
