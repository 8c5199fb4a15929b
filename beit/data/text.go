package data

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// maxWideText bounds a text in UTF-16, which is read as a whole.
const maxWideText = 1 << 30

// utf8Text returns a list's text in UTF-8. Programs for Windows begin texts with a byte order mark, which is left away, and write some in UTF-16.
func utf8Text(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(r)
	mark, _ := in.Peek(3) // a shorter text has no mark
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		in.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		text, err := io.ReadAll(io.LimitReader(in, maxWideText+1))
		if err != nil {
			return nil, err
		}
		if len(text) > maxWideText {
			return nil, fmt.Errorf("the text is in UTF-16 and has more than %d bytes: save it as UTF-8", maxWideText)
		}
		return strings.NewReader(fromUTF16(text)), nil
	}
	return in, nil
}

// fromUTF16 decodes a text that begins with a byte order mark.
func fromUTF16(text []byte) string {
	low := 0 // the place of the lower byte of a unit
	if text[0] == 0xfe {
		low = 1
	}
	units := make([]uint16, 0, len(text)/2)
	for at := 2; at+1 < len(text); at += 2 {
		units = append(units, uint16(text[at+low])|uint16(text[at+1-low])<<8)
	}
	return string(utf16.Decode(units))
}
