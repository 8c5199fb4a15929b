package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// Operations, named as in Python's pickle.py. Those of protocol 0, which is text,
// and those that build instances of old classes are left out.
const (
	opMark            = '('
	opStop            = '.'
	opPop             = '0'
	opPopMark         = '1'
	opDup             = '2'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opBinInt2         = 'M'
	opNone            = 'N'
	opBinPersID       = 'Q'
	opReduce          = 'R'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opBinUnicode      = 'X'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opEmptyDict       = '}'
	opAppends         = 'e'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opEmptyList       = ']'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opBinFloat        = 'G'
	opProto           = 0x80
	opNewObj          = 0x81
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
)

// maxProtocol is the newest version of the format.
const maxProtocol = 5

// step carries out one operation.
func (m *machine) step(code byte) error {
	switch code {
	case opProto, opFrame:
		return m.frame(code)
	case opMark:
		m.marks = append(m.marks, len(m.stack))
	case opPop, opPopMark, opDup:
		return m.shuffle(code)
	case opNone:
		return m.push(nil)
	case opNewTrue, opNewFalse:
		return m.push(code == opNewTrue)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opBinFloat:
		return m.number(code)
	case opBinString, opShortBinString, opBinUnicode, opShortBinUnicode, opBinUnicode8, opBinBytes, opShortBinBytes, opBinBytes8:
		return m.text(code)
	case opBinGet, opLongBinGet, opBinPut, opLongBinPut, opMemoize:
		return m.remember(code)
	case opEmptyDict:
		return m.push(&Dict{})
	case opEmptyList, opEmptySet:
		return m.push(&List{})
	case opEmptyTuple:
		return m.push(Tuple{})
	case opTuple1, opTuple2, opTuple3:
		return m.tuple(int(code-opTuple1) + 1)
	case opTuple:
		items, err := m.popMark()
		return errors.Join(err, m.push(Tuple(items)))
	case opFrozenSet:
		items, err := m.popMark()
		return errors.Join(err, m.push(&List{items}))
	case opAppend:
		return m.extend(m.popN(1))
	case opAppends, opAddItems:
		return m.extend(m.popMark())
	case opSetItem:
		return m.setItems(m.popN(2))
	case opSetItems:
		return m.setItems(m.popMark())
	case opGlobal, opStackGlobal:
		return m.global(code)
	case opReduce, opNewObj:
		return m.call()
	case opBuild:
		return m.build()
	case opBinPersID:
		return m.persistent()
	default:
		return fmt.Errorf("operation %#02x is none that files of weights have", code)
	}
	return nil
}

// frame reads what says nothing about values: the version, and how the bytes are
// grouped.
func (m *machine) frame(code byte) error {
	if code == opFrame {
		_, err := m.in.uint(8)
		return err
	}
	version, err := m.in.uint(1)
	if err == nil && version > maxProtocol {
		err = fmt.Errorf("protocol %d is unknown", version)
	}
	return err
}

func (m *machine) shuffle(code byte) error {
	switch code {
	case opPop:
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	}
	v, err := m.top()
	return errors.Join(err, m.push(v))
}

func (m *machine) number(code byte) error {
	var v any
	var x uint64
	var err error
	switch code {
	case opBinInt:
		x, err = m.in.uint(4)
		v = int64(int32(x))
	case opBinInt1:
		x, err = m.in.uint(1)
		v = int64(x)
	case opBinInt2:
		x, err = m.in.uint(2)
		v = int64(x)
	case opBinFloat: // the one value of the format that is big-endian
		var b []byte
		if b, err = m.in.bytes(8); err == nil {
			v = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	case opLong1:
		v, err = m.long()
	}
	if err != nil {
		return err
	}
	return m.push(v)
}

// long reads an integer of up to 255 bytes in two's complement: an int64 where
// it fits.
func (m *machine) long() (any, error) {
	n, err := m.in.uint(1)
	if err != nil {
		return nil, err
	}
	b, err := m.in.bytes(n)
	if err != nil {
		return nil, err
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	v := new(big.Int).SetBytes(b)
	if n > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	if v.IsInt64() {
		return v.Int64(), nil
	}
	return v, nil
}

// text reads a string or bytes; Python 2's strings, which are either, as strings.
func (m *machine) text(code byte) error {
	width := 4
	switch code {
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		width = 1
	case opBinUnicode8, opBinBytes8:
		width = 8
	}
	n, err := m.in.uint(width)
	if err != nil {
		return err
	}
	b, err := m.in.bytes(n)
	if err != nil {
		return err
	}
	switch code {
	case opBinBytes, opShortBinBytes, opBinBytes8:
		return m.push(b)
	}
	if !utf8.Valid(b) {
		return errors.New("a text is not valid UTF-8")
	}
	return m.push(string(b))
}

// remember stores the topmost value in the memo, or brings one back.
func (m *machine) remember(code byte) error {
	switch code {
	case opMemoize:
		return m.put(len(m.memo))
	case opBinGet, opBinPut:
		at, err := m.in.uint(1)
		return m.memoAt(int(at), code == opBinGet, err)
	}
	at, err := m.in.uint(4)
	return m.memoAt(int(at), code == opLongBinGet, err)
}

func (m *machine) memoAt(at int, back bool, err error) error {
	switch {
	case err != nil:
		return err
	case back:
		return m.get(at)
	}
	return m.put(at)
}

// global reads a name: two lines, or two strings of the stack.
func (m *machine) global(code byte) error {
	if code == opGlobal {
		module, err := m.in.line()
		if err != nil {
			return err
		}
		name, err := m.in.line()
		if err != nil {
			return err
		}
		return m.class(Class{module, name})
	}
	both, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := both[0].(string)
	name, ok2 := both[1].(string)
	if !ok1 || !ok2 || strings.ContainsAny(module+name, "\n") {
		return errors.New("a name is not text")
	}
	return m.class(Class{module, name})
}

func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	if m.hooks.Persistent == nil {
		return errors.New("an object is stored outside the pickle, where there is nothing")
	}
	v, err := m.hooks.Persistent(id)
	if err != nil {
		return err
	}
	return m.push(v)
}
