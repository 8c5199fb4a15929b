package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Limits of one pickle. A checkpoint of ViT-L with its optimizer's state has
// about 200 kB and 80,000 operations.
const (
	MaxBytes = 16 << 20
	MaxOps   = 1 << 20
)

// Hooks say what a pickle may refer to.
type Hooks struct {
	// Allow returns an error for a class or function that the file may not
	// mention.
	Allow func(c Class) error
	// Call returns what calling an allowed function, or making an instance of an
	// allowed class, stands for.
	Call func(c Class, args Tuple) (any, error)
	// Persistent returns what stands for an object that is stored outside the
	// pickle. nil: there are none.
	Persistent func(id any) (any, error)
}

// Read runs the pickle at the start of r and returns its value and its length in
// bytes. At most size bytes are read.
func Read(r io.Reader, size int64, hooks Hooks) (value any, n int64, err error) {
	m := &machine{in: input{r: bufio.NewReader(io.LimitReader(r, min(size, MaxBytes))), left: min(size, MaxBytes)}, hooks: hooks, memo: map[int]any{}}
	start := m.in.left
	for range MaxOps {
		code, err := m.in.byte()
		if err != nil {
			return nil, 0, m.explain(err, start-m.in.left, size)
		}
		if code == opStop {
			if value, err = m.pop(); err != nil {
				return nil, 0, m.explain(err, start-m.in.left, size)
			}
			return value, start - m.in.left, nil
		}
		if err := m.step(code); err != nil {
			return nil, 0, m.explain(err, start-m.in.left, size)
		}
	}
	return nil, 0, fmt.Errorf("pickle: more than %d operations", MaxOps)
}

func (m *machine) explain(err error, at, size int64) error {
	if errors.Is(err, io.ErrUnexpectedEOF) && size > MaxBytes {
		return fmt.Errorf("pickle: longer than %d bytes", MaxBytes)
	}
	return fmt.Errorf("pickle: at byte %d: %w", at, err)
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

// class pushes a name.
func (m *machine) class(c Class) error {
	if err := m.hooks.Allow(c); err != nil {
		return err
	}
	return m.push(c)
}

// call replaces class and arguments by what the call stands for.
func (m *machine) call() error {
	args, err := m.pop()
	if err != nil {
		return err
	}
	callee, err := m.pop()
	if err != nil {
		return err
	}
	t, isTuple := args.(Tuple)
	c, isClass := callee.(Class)
	if !isTuple || !isClass {
		return fmt.Errorf("a %T is called with a %T", callee, args)
	}
	v, err := m.hooks.Call(c, t)
	if err != nil {
		return fmt.Errorf("%v: %w", c, err)
	}
	return m.push(v)
}

// build sets the attributes of the object on the stack. Those of a dict are of
// no interest: PyTorch keeps versions of modules there.
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
	case *Dict:
	default:
		return fmt.Errorf("attributes of a %T are set", v)
	}
	return nil
}

// extend adds items to the list on the stack.
func (m *machine) extend(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*List)
	if !ok {
		return fmt.Errorf("values are added to a %T", v)
	}
	l.Items = append(l.Items, items...)
	return nil
}

// setItems adds keys and values, one after another, to the dict on the stack.
func (m *machine) setItems(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
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
