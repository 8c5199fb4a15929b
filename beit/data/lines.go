package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readJSONLines reads lines of JSON with a file name each, and perhaps a label and a split.
func readJSONLines(r io.Reader) (*list, error) {
	in, err := utf8Text(r)
	if err != nil {
		return nil, err
	}
	l := &list{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxIndexLine)
	for number := 1; lines.Scan(); number++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		var cells map[string]cell
		if err := json.Unmarshal(text, &cells); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		one := l.line(cells)
		if one.file == "" {
			return nil, fmt.Errorf("line %d: no name of a file: wanted is a key %s", number, hubColumn)
		}
		one.line = number
		l.lines = append(l.lines, one)
	}
	return l, lines.Err()
}

// line takes a line from its values, and notes which columns the list has.
func (l *list) line(cells map[string]cell) listed {
	byColumn := make(map[string]cell, len(cells))
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(cells))) { // of keys for the same column, the first in order counts
		byColumn[columnName(key)] = cells[key]
	}
	if file, ok := cells[hubColumn]; ok {
		byColumn[fileColumns[0]] = file
	}
	label := firstOf(byColumn, labelColumns)
	_, parted := byColumn[splitColumns[0]]
	l.labelled, l.parted = l.labelled || label.ok, l.parted || parted
	return listed{file: firstOf(byColumn, fileColumns).text, label: label.text, part: firstOf(byColumn, splitColumns).text}
}

// firstOf returns the value of the first of some columns that is there.
func firstOf(byColumn map[string]cell, names []string) cell {
	for _, name := range names {
		if c, ok := byColumn[name]; ok {
			return c
		}
	}
	return cell{}
}

// cell is a value of JSON as a table has it.
type cell struct {
	text string
	ok   bool // false for values that tables do not have: null, lists and objects
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *cell) UnmarshalJSON(value []byte) (err error) {
	*c = cell{}
	switch value[0] {
	case 'n', '[', '{':
		return nil
	case '"':
		c.text, err = unquoted(value)
		c.text = strings.TrimSpace(c.text)
	case 't', 'f':
		c.text = string(value)
	default:
		c.text = numberText(string(value))
	}
	c.ok = true
	return err
}

// numberText writes a number of JSON without an exponent and needless zeros, as tables have it: 3.0 is 3.
func numberText(literal string) string {
	v, err := strconv.ParseFloat(literal, 64)
	if err != nil || !strings.ContainsAny(literal, ".eE") { // a float64 holds not every whole number
		return literal
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// text is a string of JSON that keeps bytes which are not UTF-8.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(value []byte) error {
	s, err := unquoted(value)
	*t = text(s)
	return err
}

// unquoted decodes a string of JSON. Bytes that are not UTF-8 stay as they are, where encoding/json makes the same of all of them.
func unquoted(value []byte) (s string, err error) {
	if utf8.Valid(value) || value[0] != '"' {
		err = json.Unmarshal(value, &s)
		return s, err
	}
	var b strings.Builder
	for rest := value[1 : len(value)-1]; len(rest) > 0; {
		good := validPrefix(rest)
		if err := json.Unmarshal(slices.Concat([]byte(`"`), rest[:good], []byte(`"`)), &s); err != nil {
			return "", err
		}
		b.WriteString(s)
		bad := min(good+1, len(rest))
		b.Write(rest[good:bad])
		rest = rest[bad:]
	}
	return b.String(), nil
}

// validPrefix is how many bytes text begins with that are UTF-8.
func validPrefix(text []byte) int {
	at := 0
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}
