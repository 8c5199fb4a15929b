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
	texts := pngTexts{left: pngTextsMost}
	for rest := content[min(8, len(content)):]; ; {
		c, after, err := nextChunk(rest)
		if err != nil {
			break
		}
		if c.name == "eXIf" {
			m.exif = c.body
		} else if keyword, text := texts.read(c); keyword != "" {
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
	const head = 3
	lines := bytes.SplitN(text, []byte("\n"), head+1)
	if len(lines) <= head {
		return nil
	}
	digits := bytes.TrimSpace(bytes.ReplaceAll(lines[head], []byte("\n"), nil))
	profile := make([]byte, hex.DecodedLen(len(digits)))
	n, _ := hex.Decode(profile, digits) // as far as it is right
	return profile[:n]
}

// pngTexts reads the texts of a PNG file.
type pngTexts struct {
	left int64 // bytes that texts may still be decompressed to
}

// Bounds of decompressed texts, as Pillow has them: of one, and of all that a file has. What is beyond them is not read.
const (
	pngTextMost  = 1 << 20
	pngTextsMost = 64 << 20
	pngTextCost  = 1 << 16 // what an empty text counts, for its decompressor takes memory too
)

// read splits a chunk of text that may hold an orientation. The keyword is empty for other chunks.
func (t *pngTexts) read(c pngChunk) (keyword string, text []byte) {
	if c.name != "tEXt" && c.name != "zTXt" && c.name != "iTXt" {
		return "", nil
	}
	const longest = 80 // a keyword and the zero behind it
	end := bytes.IndexByte(c.body[:min(longest, len(c.body))], 0)
	if end < 0 {
		return "", nil
	}
	keyword, rest := string(c.body[:end]), c.body[end+1:]
	if keyword != pngXMP && keyword != pngProfileEXIF && keyword != pngProfileAPP1 && keyword != pngProfileXMP {
		return "", nil
	}
	compressed := false
	switch c.name {
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
	}
	if compressed {
		rest = t.inflate(rest)
	}
	return keyword, rest
}

// inflate decompresses as much of a text as is right, up to the bounds.
func (t *pngTexts) inflate(b []byte) []byte {
	if t.left -= pngTextCost; t.left <= 0 {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(z, min(pngTextMost, t.left))) // what comes before an error is kept
	t.left -= int64(len(text))
	return text
}
