package pickle

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// textual carries out an operation whose operand is a line of text.
func (m *machine) textual(code byte) error {
	limit := maxLine
	switch code {
	case opLong:
		limit = maxDigits
	case opString, opUnicode:
		return m.textLine(code)
	}
	line, err := m.in.line(limit)
	if err != nil {
		return err
	}
	switch code {
	case opGet, opPut:
		at, err := strconv.ParseUint(line, 10, 31)
		return m.memoAt(int(at), code == opGet, err)
	case opPersID:
		return m.persistent(line, nil)
	}
	v, err := textValue(code, line)
	if err != nil {
		return err
	}
	return m.push(v)
}

// textLine pushes the text that a line stands for, or a Long.
func (m *machine) textLine(code byte) error {
	line, kept, err := m.in.keptLine(MaxText)
	if err != nil {
		return err
	}
	if !kept {
		return m.push(Long{})
	}
	v, err := textValue(code, line)
	if err != nil {
		return err
	}
	return m.push(v)
}

// textValue is the value that a line stands for.
func textValue(code byte, line string) (any, error) {
	switch code {
	case opInt:
		switch line {
		case "00", "01":
			return line == "01", nil
		}
		return integer(line)
	case opLong:
		return integer(strings.TrimSuffix(line, "L"))
	case opFloat:
		v, err := strconv.ParseFloat(line, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("%s is no number", strconv.Quote(short(line)))
		}
		return v, nil
	case opString:
		if n := len(line); n < 2 || line[0] != line[n-1] || line[0] != '\'' && line[0] != '"' {
			return nil, errors.New("a text stands without quotes")
		}
		return unescapedBytes(line[1 : len(line)-1]), nil
	}
	return unescapedText(line), nil
}

func integer(digits string) (any, error) {
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return nil, fmt.Errorf("%s is no integer", strconv.Quote(short(digits)))
	}
	return narrow(v), nil
}

// plainEscapes are the characters that letters after a backslash stand for in byte
// strings.
var plainEscapes = map[byte]byte{
	'\\': '\\', '\'': '\'', '"': '"', 'n': '\n', 'r': '\r', 't': '\t', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v',
}

// unescapedBytes is the byte string that Python 2 wrote in quotes.
func unescapedBytes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if c, ok := plainEscapes[s[i]]; ok {
				b.WriteByte(c)
				continue
			}
			if v, ok := hex(s[i+1:], 2); s[i] == 'x' && ok {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unescapedText is the text of a line in which only characters up to U+00FF stand
// for themselves.
func unescapedText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		digits := 0
		if s[i] == '\\' && i+1 < len(s) {
			digits = map[byte]int{'u': 4, 'U': 8}[s[i+1]]
		}
		if digits > 0 {
			if v, ok := hex(s[i+2:], digits); ok {
				b.WriteRune(rune(v))
				i += 1 + digits
				continue
			}
		}
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// hex reads the first digits of a hexadecimal number.
func hex(s string, digits int) (uint64, bool) {
	if len(s) < digits {
		return 0, false
	}
	v, err := strconv.ParseUint(s[:digits], 16, 32)
	return v, err == nil
}
