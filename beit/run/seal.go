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

var errChecksum = errors.New("damaged: its checksum does not match")

// seal adds a checksum to a JSON object as its last key. It is the CRC-32C of all bytes before the comma in front of that key, as 8 lower-case
// hexadecimal digits. The object has other keys.
func seal(object []byte) []byte {
	body := bytes.TrimSuffix(object, []byte("}"))
	return fmt.Appendf(bytes.Clone(body), "%s%08x%s", sealStart, crc32.Checksum(body, castagnoli), sealEnd)
}

// unseal compares the checksum at the end of text. sealed is false when there is none.
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
