package plain

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"dog/été 犬 (1).jpg", "dog/été 犬 (1).jpg"},
		{`C:\photos\x.jpg`, `C:\photos\x.jpg`},
		{"no-break\u00a0space", "no-break\u00a0space"},
		{"a\x1b[31mred", `a\u001b[31mred`},
		{"two\nlines\r\t", `two\u000alines\u000d\u0009`},
		{"\x7f", `\u007f`},
		{"csi \u009b31m", `csi \u009b31m`},
		{"gpj.\u202eexe", `gpj.\u202eexe`},
		{"\u2066isolate\u2069 \u200f\u061c", `\u2066isolate\u2069 \u200f\u061c`},
		{"line\u2028paragraph\u2029", `line\u2028paragraph\u2029`},
		{"\ufeffmark, zero\u200bwidth", `\ufeffmark, zero\u200bwidth`},
		{"tag \U000e0041", `tag \U000e0041`},
		{"latin \xe9t\xe9", `latin \xe9t\xe9`},
		{"\ufffd stays", "\ufffd stays"},
		{"raw \x9b31m", `raw \x9b31m`},
	} {
		if got := Text(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestLines(t *testing.T) {
	if got, want := Lines("a\tb\n\x1b\r\n"), "a\tb\n\\u001b\\u000d\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestName(t *testing.T) {
	for name, want := range map[string]string{"a\x1b": "a\x1b", "\xe9\x1b": `\xe9\u001b`} {
		if got := Name(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// A text has nothing hidden afterwards, and JSON means what it meant.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\x1b\n", "\u009b\u202e\U000e0041", "\xff\xc3\x28", `"\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, got := range []string{Text(text), Lines(text)} {
			got = strings.ReplaceAll(strings.ReplaceAll(got, "\ufffd", ""), "\n", "")
			if bad := strings.IndexFunc(strings.ReplaceAll(got, "\t", ""), hidden); bad >= 0 || !utf8.ValidString(got) {
				t.Errorf("%q gives %q", text, got)
			}
		}
		if !utf8.ValidString(text) {
			return
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(JSON(string(encoded))), &back); err != nil || back != text {
			t.Errorf("%q comes back as %q: %v", text, back, err)
		}
	})
}

func ExampleText() {
	fmt.Println(Text("cat/\x1b[31mred.jpg"))
	// Output: cat/\u001b[31mred.jpg
}
