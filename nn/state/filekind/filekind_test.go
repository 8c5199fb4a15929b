package filekind

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for _, c := range []struct{ head, short, image string }{
		{"\xff\xd8\xff\xe0", "JPEG", "jpeg"},
		{"\x89PNG\r\n\x1a\n", "PNG", "png"},
		{"GIF89a", "GIF", "gif"},
		{"RIFF\x10\x00\x00\x00WEBPVP8 ", "WebP", "webp"},
		{"RIFF\x10\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x12", "animated WebP", "webp-animated"},
		{"RIFF\x10\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10", "WebP", "webp"},
		{"BM" + strings.Repeat("\x00", 12) + "\x28\x00\x00\x00", "BMP", "bmp"},
		{"BM is a text", "", ""},
		{"II+\x00\x08\x00", "TIFF", "tiff"},
		{"P6\n2 2\n255\n", "Netpbm", "netpbm"},
		{"P8 is none", "", ""},
		{"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf", "AVIF", "avif"},
		{"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif", "AVIF", "avif"},
		{"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC", "heic"},
		{"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2", "film", ""},
		{"\xff\xffftyp" + strings.Repeat("x", 20), "", ""},
		{"\xff\x0a\x00", "JPEG XL", "jxl"},
		{"  <!DOCTYPE HTML>\n", "HTML", ""},
		{"\xef\xbb\xbf<html>", "HTML", ""},
		{"<?xml version=\"1.0\"?>\n<svg/>", "SVG", ""},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:", "Git LFS pointer", ""},
		{"\x1f\x8b\x08", "gzip", ""},
		{"PK\x03\x04", "zip", ""},
		{strings.Repeat("\x00", 100), "zeros", ""},
		{"", "", ""},
		{"some text", "", ""},
	} {
		if k := Of([]byte(c.head)); k.Short != c.short || k.Image != c.image {
			t.Errorf("%q is %q (%q), want %q (%q)", c.head, k.Short, k.Image, c.short, c.image)
		}
	}
}

func TestComplaint(t *testing.T) {
	for head, want := range map[string]string{
		"<html>":    "this is an HTML page, not an image that is read here: the download answered with a page; look at it in a browser, and fetch the file again",
		"%PDF-1.4":  "this is a PDF document, not an image that is read here",
		"some text": "not an image of a known format",
	} {
		if got := Of([]byte(head)).Complaint("an image"); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

// Any bytes have a kind, or none.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"", "\xff\xd8\xff", "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1", "BM", "P6\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if k := Of(head); k.Name == "" && k.Image != "" {
			t.Errorf("%+v", k)
		}
	})
}
