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

// Operations, named as in Python's pickle.py.
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
	opByteArray8      = 0x96
	opNextBuffer      = 0x97
	opReadOnlyBuffer  = 0x98
	opNewObjEx        = 0x92
	opLong4           = 0x8b
	opExt1            = 0x82
	opExt2            = 0x83
	opExt4            = 0x84
	opInst            = 'i'
	opObj             = 'o'

	// Of protocols 0 and 1, whose operands are lines of text.
	opInt     = 'I'
	opLong    = 'L'
	opFloat   = 'F'
	opString  = 'S'
	opUnicode = 'V'
	opDict    = 'd'
	opList    = 'l'
	opGet     = 'g'
	opPut     = 'p'
	opPersID  = 'P'
)

// maxProtocol is the newest version of the format.
const maxProtocol = 5

// step carries out one operation.
func (m *machine) step(code byte) error {
	switch code {
	case opProto, opFrame, opReadOnlyBuffer:
		return m.frame(code)
	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return nil
	case opPop, opPopMark, opDup:
		return m.shuffle(code)
	case opNone:
		return m.push(nil)
	case opNewTrue, opNewFalse:
		return m.push(code == opNewTrue)
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return m.number(code)
	case opInt, opLong, opFloat, opString, opUnicode, opGet, opPut, opPersID:
		return m.textual(code)
	case opBinString, opShortBinString, opBinUnicode, opShortBinUnicode, opBinUnicode8, opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		return m.text(code)
	case opBinGet, opLongBinGet, opBinPut, opLongBinPut, opMemoize:
		return m.remember(code)
	case opEmptyDict, opEmptyList, opEmptySet, opEmptyTuple, opTuple1, opTuple2, opTuple3, opTuple, opFrozenSet, opList, opDict:
		return m.container(code)
	case opAppend:
		return m.extend(m.popN(1))
	case opAppends, opAddItems:
		return m.extend(m.popMark())
	case opSetItem:
		return m.setItems(m.popN(2))
	case opSetItems:
		return m.setItems(m.popMark())
	case opGlobal, opStackGlobal, opExt1, opExt2, opExt4:
		return m.global(code)
	case opReduce, opNewObj, opNewObjEx, opInst, opObj:
		return m.make(code)
	case opBuild:
		return m.build()
	case opBinPersID:
		id, err := m.pop()
		return m.persistent(id, err)
	case opNextBuffer: // bytes that stand outside the file
		return m.push(&Object{Class: Class{"pickle", "PickleBuffer"}})
	}
	return fmt.Errorf("operation %#02x is none that pickles have", code)
}

// cost is how many operations one counts as: those that make containers and objects
// take four times the memory of a number, those that remember a value twice.
func cost(code byte) int {
	switch code {
	case opEmptyDict, opEmptyList, opList, opDict, opReduce, opNewObj, opNewObjEx, opInst, opObj, opNextBuffer, opGlobal, opStackGlobal, opExt1, opExt2, opExt4,
		opSetItem, opAppend, opBinPersID, opPersID, opTuple, opTuple1, opTuple2, opTuple3:
		return 4
	case opPut, opBinPut, opLongBinPut, opMemoize, opBinUnicode, opShortBinUnicode, opBinUnicode8, opBinString, opShortBinString, opBinBytes, opShortBinBytes, opBinBytes8,
		opByteArray8, opString, opUnicode:
		return 2
	}
	return 1
}

// container pushes an empty container, or one of the topmost values.
func (m *machine) container(code byte) error {
	switch code {
	case opEmptyDict:
		return m.push(&Dict{})
	case opEmptyList:
		return m.push(&List{})
	case opEmptySet:
		return m.push(Set{})
	case opEmptyTuple:
		return m.push(Tuple{})
	case opTuple1, opTuple2, opTuple3:
		return m.tuple(int(code-opTuple1) + 1)
	}
	items, err := m.popMark()
	if err != nil {
		return err
	}
	switch code {
	case opFrozenSet:
		return m.push(Set{})
	case opList:
		return m.push(&List{items})
	case opDict:
		return errors.Join(m.push(&Dict{}), m.setItems(items, nil))
	}
	return m.push(Tuple(items))
}

// make replaces what an instance is made from by what the call stands for.
func (m *machine) make(code byte) error {
	switch code {
	case opNewObjEx: // with named arguments, which mean nothing here
		if _, err := m.pop(); err != nil {
			return err
		}
	case opInst:
		c, err := m.className()
		if err != nil {
			return err
		}
		args, err := m.popMark()
		if err != nil {
			return err
		}
		return m.call(c, args)
	case opObj:
		all, err := m.popMark()
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return errStack
		}
		return m.call(all[0], all[1:])
	}
	return m.reduce()
}

// frame reads what says nothing about values: the version, how the bytes are
// grouped, and that a buffer may not be changed.
func (m *machine) frame(code byte) error {
	switch code {
	case opFrame:
		_, err := m.in.uint(8)
		return err
	case opReadOnlyBuffer:
		return nil
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
		v, err = m.long(1)
	case opLong4:
		v, err = m.long(4)
	}
	if err != nil {
		return err
	}
	return m.push(v)
}

// long reads an integer in two's complement, after its length in width bytes: an
// int64 where it fits.
func (m *machine) long(width int) (any, error) {
	n, err := m.in.uint(width)
	if err != nil {
		return nil, err
	}
	b, err := m.in.bytes(n)
	if err != nil {
		return nil, err
	}
	slices.Reverse(b)
	v := new(big.Int).SetBytes(b)
	if n > 0 && b[0] >= 0x80 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	return narrow(v), nil
}

// narrow returns an int64 where the number fits.
func narrow(v *big.Int) any {
	if v.IsInt64() {
		return v.Int64()
	}
	return v
}

// text reads a string or bytes; Python 2's strings, which are either, as strings.
func (m *machine) text(code byte) error {
	width := 4
	switch code {
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		width = 1
	case opBinUnicode8, opBinBytes8, opByteArray8:
		width = 8
	}
	n, err := m.in.uint(width)
	if err != nil {
		return err
	}
	if n > MaxText {
		return errors.Join(m.in.skip(n), m.push(Long{}))
	}
	b, err := m.in.bytes(n)
	if err != nil {
		return err
	}
	switch code {
	case opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		return m.push(b)
	case opBinString, opShortBinString:
		return m.push(string(b))
	}
	if !validText(b) {
		return errors.New("a text is not valid UTF-8")
	}
	return m.push(string(b))
}

// validText reports whether b is UTF-8, in which Python also writes lone
// surrogates: those of file names that are not.
func validText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			if len(b) < 3 || b[0] != 0xed || b[1] < 0xa0 || b[1] > 0xbf || b[2] < 0x80 || b[2] > 0xbf {
				return false
			}
			n = 3
		}
		b = b[n:]
	}
	return true
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

// className reads a name in two lines.
func (m *machine) className() (Class, error) {
	module, err := m.in.line(maxLine)
	if err != nil {
		return Class{}, err
	}
	name, err := m.in.line(maxLine)
	return Class{module, name}, err
}

// global pushes a name: of two lines, of two strings of the stack, or of a number
// that programs agree on.
func (m *machine) global(code byte) error {
	width := 4
	switch code {
	case opGlobal:
		c, err := m.className()
		return errors.Join(err, m.push(c))
	case opStackGlobal:
		return m.stackGlobal()
	case opExt1:
		width = 1
	case opExt2:
		width = 2
	}
	number, err := m.in.uint(width)
	return errors.Join(err, m.push(Class{"copyreg", fmt.Sprint("extension ", number)}))
}

func (m *machine) stackGlobal() error {
	both, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := both[0].(string)
	name, ok2 := both[1].(string)
	switch {
	case !ok1 || !ok2:
		return errors.New("a name is not text")
	case len(module) > maxLine || len(name) > maxLine: // one text may be a name many times
		return fmt.Errorf("a name is longer than %d bytes", maxLine)
	case strings.Contains(module, "\n") || strings.Contains(name, "\n"):
		return errors.New("a name is not text")
	}
	return m.push(Class{module, name})
}

func (m *machine) persistent(id any, err error) error {
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
