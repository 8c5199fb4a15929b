package run

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
)

// keyCRC is the key of a checksum inside an object of JSON. It is the last key.
const keyCRC = "crc"

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	sealStart = []byte(`,"` + keyCRC + `":"`)
	sealEnd   = []byte(`"}`)
	sealLen   = len(sealStart) + 8 + len(sealEnd)
)

var errChecksum = errors.New("the checksum does not fit: the text is damaged")

// seal adds the checksum of an object of JSON as its last key: the CRC-32C, in 8 lower-case hexadecimal digits, of all bytes before the
// comma that precedes it. The object has other keys.
func seal(object []byte) []byte {
	body := bytes.TrimSuffix(object, []byte("}"))
	return fmt.Appendf(bytes.Clone(body), "%s%08x%s", sealStart, crc32.Checksum(body, castagnoli), sealEnd)
}

// unseal compares the checksum at the end of text. sealed is false where none stands there.
func unseal(text []byte) (sealed bool, err error) {
	n := len(text) - sealLen
	if n < 0 || !bytes.HasPrefix(text[n:], sealStart) || !bytes.HasSuffix(text, sealEnd) {
		return false, nil
	}
	digits := text[n+len(sealStart) : len(text)-len(sealEnd)]
	if string(digits) != fmt.Sprintf("%08x", crc32.Checksum(text[:n], castagnoli)) {
		return true, errChecksum
	}
	return true, nil
}
