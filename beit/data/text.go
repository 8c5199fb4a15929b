package data

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// maxText bounds a list: what an archive holds can be a thousand times as large as the archive.
const maxText = 1 << 30

// utf8Text returns a list's text in UTF-8. Programs for Windows begin texts with a byte order mark, which is left away, and write some in UTF-16.
func utf8Text(r io.Reader) (io.Reader, error) {
	in := bufio.NewReader(&boundedText{r, maxText})
	mark, _ := in.Peek(3) // a shorter text has no mark
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		in.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		text, err := io.ReadAll(in)
		if err != nil {
			return nil, err
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

// boundedText is a text that fails where it becomes too long.
type boundedText struct {
	r    io.Reader
	left int64
}

func (b *boundedText) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, fmt.Errorf("the list has more than %d bytes", maxText)
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
