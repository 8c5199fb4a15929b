// Package filekind tells by its first bytes what a file is, whatever its name says.
//
//	kind := filekind.Of(head) // the first filekind.Head bytes, or fewer
//	if kind.Image == "" {
//		return fmt.Errorf("%s: %s", name, kind.Complaint("an image"))
//	}
//
// Its functions do not fail, keep nothing of their input, and may be called by any number of goroutines.
package filekind

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// Head is how many bytes Of looks at.
const Head = 4096

// Kind is a kind of file.
type Kind struct {
	Name   string // in a sentence: "a HEIC image", "an HTML page"; "" for an unknown kind
	Short  string // for counts: "HEIC", "HTML"; "" for an unknown kind
	Image  string // short name of the format of an image: "jpeg", "heic"; "" if it is none
	Remedy string // what to do with a file that is not read; "" where nothing helps
}

// Complaint says that a file is not what was wanted, such as "an image", what it is, and what to do.
func (k Kind) Complaint(wanted string) string {
	if k.Name == "" {
		return "not " + wanted + " of a known format"
	}
	text := "this is " + k.Name + ", not " + wanted + " that is read here"
	if k.Remedy != "" {
		text += ": " + k.Remedy
	}
	return text
}

// row is a kind with the test for it.
type row struct {
	Kind
	is func(head []byte) bool
}

// Of returns the kind of a file whose first bytes are head.
func Of(head []byte) Kind {
	head = head[:min(len(head), Head)]
	for _, r := range rows {
		if r.is(head) {
			return r.Kind
		}
	}
	return Kind{}
}

// begins returns a test for texts at the beginning.
func begins(texts ...string) func([]byte) bool {
	return func(head []byte) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return bytes.HasPrefix(head, []byte(t)) })
	}
}

// brand returns a test for files of the ISO base media format that name one of some brands, as their own or as one that they are compatible with.
func brand(brands ...string) func([]byte) bool {
	return func(head []byte) bool {
		if len(head) < 16 || string(head[4:8]) != "ftyp" {
			return false
		}
		size := min(uint64(binary.BigEndian.Uint32(head)), uint64(len(head)))
		for at := uint64(8); at+4 <= size; at += 4 {
			if at != 12 && slices.Contains(brands, string(head[at:at+4])) { // at 12 is the version
				return true
			}
		}
		return false
	}
}

// markup reports whether text begins, after white space, with one of some words, in any case.
func markup(words ...string) func([]byte) bool {
	return func(head []byte) bool {
		text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, w) })
	}
}

func zeros(head []byte) bool {
	return len(head) > 0 && len(bytes.Trim(head, "\x00")) == 0
}

const (
	convert = "convert it to JPEG or PNG first"
	build   = convert + " by heif-convert or avifdec, or build beit with -tags heif,nodynamic"
)

// rows are the kinds, in the order in which they are tried.
var rows = []row{
	{Kind{"a JPEG image", "JPEG", "jpeg", ""}, begins("\xff\xd8\xff")},
	{Kind{"a PNG image", "PNG", "png", ""}, begins("\x89PNG\r\n\x1a\n")},
	{Kind{"a GIF image", "GIF", "gif", ""}, begins("GIF87a", "GIF89a")},
	{Kind{"an animated WebP image", "animated WebP", "webp-animated", ""}, func(b []byte) bool {
		const flags, animation = 20, 2
		return len(b) > flags && string(b[:4]) == "RIFF" && string(b[8:16]) == "WEBPVP8X" && b[flags]&animation != 0
	}},
	{Kind{"a WebP image", "WebP", "webp", ""}, func(b []byte) bool { return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" }},
	{Kind{"a BMP image", "BMP", "bmp", ""}, func(b []byte) bool {
		return len(b) >= 18 && string(b[:2]) == "BM" && slices.Contains([]uint32{12, 16, 40, 52, 56, 64, 108, 124}, binary.LittleEndian.Uint32(b[14:]))
	}},
	{Kind{"a TIFF image", "TIFF", "tiff", ""}, begins("II*\x00", "MM\x00*", "II+\x00", "MM\x00+")},
	{Kind{"a Netpbm image", "Netpbm", "netpbm", ""}, func(b []byte) bool {
		return len(b) >= 3 && b[0] == 'P' && '1' <= b[1] && b[1] <= '7' && strings.IndexByte(" \t\r\n#", b[2]) >= 0
	}},
	{Kind{"an AVIF image", "AVIF", "avif", build}, brand("avif", "avis")},
	{Kind{"a HEIC image", "HEIC", "heic", build}, brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")},
	{Kind{"a JPEG XL image", "JPEG XL", "jxl", convert}, begins("\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n")},
	{Kind{"a JPEG 2000 image", "JPEG 2000", "jp2", convert}, begins("\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51")},
	{Kind{"a Photoshop image", "PSD", "psd", convert}, begins("8BPS")},
	{Kind{"an SVG drawing", "SVG", "", "draw it to PNG first"}, func(b []byte) bool {
		return markup("<svg")(b) || markup("<?xml", "<!doctype svg")(b) && bytes.Contains(b, []byte("<svg"))
	}},
	{Kind{"an HTML page", "HTML", "", "the download answered with a page; look at it in a browser, and fetch the file again"}, markup("<!doctype html", "<html", "<head", "<body", "<script", "<!--")},
	{Kind{"a Git LFS pointer", "Git LFS pointer", "", "the file itself was not fetched; run git lfs pull"}, begins("version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/")},
	{Kind{"compressed with gzip", "gzip", "", "unpack it with gunzip"}, begins("\x1f\x8b")},
	{Kind{"compressed with bzip2", "bzip2", "", "unpack it with bunzip2"}, begins("BZh")},
	{Kind{"compressed with xz", "xz", "", "unpack it with unxz"}, begins("\xfd7zXZ\x00")},
	{Kind{"compressed with Zstandard", "zstd", "", "unpack it with unzstd"}, begins("\x28\xb5\x2f\xfd")},
	{Kind{"a zip archive", "zip", "", "unpack it with unzip"}, begins("PK\x03\x04", "PK\x05\x06", "PK\x07\x08")},
	{Kind{"a 7z archive", "7z", "", "unpack it with 7z x"}, begins("7z\xbc\xaf\x27\x1c")},
	{Kind{"a RAR archive", "RAR", "", "unpack it with unrar"}, begins("Rar!\x1a\x07")},
	{Kind{"a tar archive", "tar", "", "unpack it with tar -xf"}, func(b []byte) bool { return len(b) >= 262 && string(b[257:262]) == "ustar" }},
	{Kind{"a Parquet table", "Parquet", "", "write its images to a folder first"}, begins("PAR1")},
	{Kind{"an HDF5 file", "HDF5", "", "write what it holds as .safetensors or as images first"}, begins("\x89HDF\r\n\x1a\n")},
	{Kind{"a GGUF file", "GGUF", "", "write its tensors as .safetensors first"}, begins("GGUF")},
	{Kind{"a NumPy array", "NumPy", "", ""}, begins("\x93NUMPY")},
	{Kind{"a PDF document", "PDF", "", ""}, begins("%PDF-")},
	{Kind{"a film", "film", "", "write its frames as images first"}, func(b []byte) bool {
		return len(b) >= 8 && string(b[4:8]) == "ftyp" || bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")) || len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "AVI "
	}},
	{Kind{"nothing but zeros", "zeros", "", "the disk or the transfer failed; fetch it again"}, zeros},
}
