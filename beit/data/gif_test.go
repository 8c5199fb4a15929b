package data

import "testing"

func FuzzGIFTransparency(f *testing.F) {
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00abcdef\x21\xf9\x04\x01\x00\x00\x01\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		flags, _, ok := gifTransparency(content)
		if ok && (flags < 13 || flags >= len(content) || content[flags]&1 == 0) {
			t.Errorf("flag at %d of %d", flags, len(content))
		}
	})
}
