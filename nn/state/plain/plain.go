// Package plain shows names that come from files: of images, classes, tensors and keys. Some hold characters that a terminal obeys, such as
// U+001B and U+009B, or that turn the order of letters around, such as U+202E.
//
//	fmt.Fprintln(w, plain.Text(name))
//
// What cannot be seen is written as an escape, \u001b, and so is a byte that is not UTF-8, \xe9. All else stays as it is. The functions may be
// called by any number of goroutines.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns text for one line: line breaks are escaped too.
func Text(text string) string { return escape(text, false, wide) }

// Lines returns text of several lines. Line breaks and tabs stay.
func Lines(text string) string { return escape(text, true, wide) }

// JSON returns the JSON text with escapes in its strings, which mean the same. Line breaks and tabs between its values stay.
func JSON(text string) string { return escape(text, true, surrogates) }

// Name returns a name for use as a string of JSON, which has no bytes that are not UTF-8: a name with such bytes is as Text shows it.
func Name(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return Text(name)
}

// escape replaces what cannot be seen. far writes a rune above U+FFFF.
func escape(text string, lines bool, far func(rune) string) string {
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == utf8.RuneError || !hidden(r) || lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(far(r))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.String()
}

// hidden reports whether r may be something else than a visible letter or a space. U+FFFD may stand for a byte that is not UTF-8.
func hidden(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r)
}

// wide writes a rune as Go, TOML and Python do.
func wide(r rune) string { return fmt.Sprintf(`\U%08x`, r) }

// surrogates writes a rune as JSON does.
func surrogates(r rune) string {
	high, low := utf16.EncodeRune(r)
	return fmt.Sprintf(`\u%04x\u%04x`, high, low)
}
