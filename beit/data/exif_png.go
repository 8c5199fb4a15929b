package data

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"io"
)

// pngOrientation reads the chunks of a PNG file, those behind the pixels too: eXIf, profiles that ImageMagick stores as text, and XMP data.
func pngOrientation(content []byte) int {
	var m, profiles metadata
	for rest := content[min(8, len(content)):]; ; {
		c, after, err := nextChunk(rest)
		if err != nil {
			break
		}
		if c.name == "eXIf" {
			m.exif = c.body
		} else if keyword, text := pngText(c); keyword != "" {
			profiles.addText(keyword, text)
		}
		rest = after
	}
	if len(m.exif) == 0 {
		m.exif = profiles.exif
	}
	m.xmp = profiles.xmp
	return m.orientation()
}

// Keywords of the texts that may hold an orientation.
const (
	pngXMP         = "XML:com.adobe.xmp"
	pngProfileEXIF = "Raw profile type exif"
	pngProfileAPP1 = "Raw profile type APP1"
	pngProfileXMP  = "Raw profile type xmp"
)

// addText takes the text of a PNG chunk.
func (m *metadata) addText(keyword string, text []byte) {
	if keyword == pngXMP {
		m.xmp = text
		return
	}
	profile := rawProfile(text)
	switch {
	case keyword == pngProfileXMP && m.xmp == nil:
		m.xmp = profile
	case keyword == pngProfileEXIF && m.exif == nil:
		m.exif = profile
	case keyword == pngProfileAPP1:
		m.add(profile)
	}
}

// rawProfile decodes a profile as ImageMagick writes it: an empty line, the type, the length, and lines of hexadecimal digits.
func rawProfile(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	const head = 3
	if len(lines) < head {
		return nil
	}
	digits := bytes.TrimSpace(bytes.Join(lines[head:], nil))
	profile := make([]byte, hex.DecodedLen(len(digits)))
	n, _ := hex.Decode(profile, digits) // as far as it is right
	return profile[:n]
}

// pngText splits a chunk of text that may hold an orientation. The keyword is empty for other chunks.
func pngText(c pngChunk) (keyword string, text []byte) {
	key, rest, ok := bytes.Cut(c.body, []byte{0})
	keyword = string(key)
	if !ok || keyword != pngXMP && keyword != pngProfileEXIF && keyword != pngProfileAPP1 && keyword != pngProfileXMP {
		return "", nil
	}
	compressed := false
	switch c.name {
	case "tEXt":
	case "zTXt":
		if len(rest) == 0 || rest[0] != 0 {
			return "", nil
		}
		compressed, rest = true, rest[1:]
	case "iTXt":
		parts := bytes.SplitN(rest[min(2, len(rest)):], []byte{0}, 3) // language, translated keyword, text
		if len(rest) < 2 || len(parts) < 3 {
			return "", nil
		}
		compressed, rest = rest[0] != 0, parts[2]
	default:
		return "", nil
	}
	if compressed {
		rest = inflateText(rest)
	}
	return keyword, rest
}

// inflateText decompresses as much of a text as is right, up to the bound that Pillow has.
func inflateText(b []byte) []byte {
	const most = 1 << 20
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(z, most)) // what comes before an error is kept
	return text
}
