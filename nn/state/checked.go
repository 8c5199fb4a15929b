package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
)

// Metadata keys of a checked file. Each of them alone says that the file has a
// checksum, so that damage to one name does not hide it.
const (
	metaDigest  = "gobeit.sha256"  // 64 lower-case hexadecimal digits
	metaChecked = "gobeit.checked" // names the other: "sha256"
)

// noDigest is in place of the digest while the file is hashed.
var noDigest = strings.Repeat("0", 2*sha256.Size)

// ErrDamaged is wrapped by the error of a file whose checksum does not match.
var ErrDamaged = errors.New("the file is damaged")

// checksum is what a file's metadata say about its checksum.
type checksum struct {
	digest string
	has    bool // one of the keys is there
}

// takeChecksum removes the checksum from metadata.
func takeChecksum(meta map[string]string) checksum {
	c := checksum{digest: meta[metaDigest]}
	for _, key := range []string{metaDigest, metaChecked} {
		if _, ok := meta[key]; ok {
			c.has = true
			delete(meta, key)
		}
	}
	return c
}

// checkKeys refuses a caller's metadata under the names of the checksum.
func checkKeys(meta map[string]string) error {
	for _, key := range []string{metaDigest, metaChecked} {
		if _, ok := meta[key]; ok {
			return fmt.Errorf("metadata %s: the name is reserved", quote(key))
		}
	}
	return nil
}

// digestPlace finds the first byte of the digest in a header. Its key cannot be
// found inside a JSON string, where quotes are escaped.
func digestPlace(head []byte, digest string) (at int, ok bool) {
	key := `"` + metaDigest + `":"`
	at = bytes.Index(head, []byte(key+digest+`"`))
	return at + len(key), at >= 0 && len(digest) == len(noDigest)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteChecked is WriteSafetensors with a checksum in the metadata, for
// File.Verify. Other readers of safetensors read such a file like any other.
//
// The entry "gobeit.sha256" is the SHA-256 of the whole file as 64 lower-case
// hexadecimal digits, computed with 64 zeros in their place. The entry
// "gobeit.checked" says a second time that the file has a digest.
//
// The tensors are read twice, first to hash and then to write them. It is an
// error when Pieces or Read give other values the second time.
func WriteChecked(w io.Writer, meta map[string]string, tensors []Named) error {
	if err := checkKeys(meta); err != nil {
		return fmt.Errorf("state: WriteChecked: %w", err)
	}
	all := map[string]string{metaDigest: noDigest, metaChecked: "sha256"}
	maps.Copy(all, meta)
	sorted := inFileOrder(tensors)
	head, err := encodeHeader(all, sorted)
	if err != nil {
		return fmt.Errorf("state: WriteChecked: %w", err)
	}
	at, ok := digestPlace(head, noDigest)
	if !ok {
		panic("state: WriteChecked: the header has no place for the digest")
	}

	hash, first, second := sha256.New(), crc32.New(castagnoli), crc32.New(castagnoli)
	hash.Write(head)
	if err := writeTensors(io.MultiWriter(hash, first), sorted); err != nil {
		return err
	}
	hex.Encode(head[at:], hash.Sum(nil))
	if err := writeHead(w, head); err != nil {
		return err
	}
	if err := writeTensors(io.MultiWriter(w, second), sorted); err != nil {
		return err
	}
	if first.Sum32() != second.Sum32() {
		return errors.New("state: WriteChecked: tensors changed while they were written")
	}
	return nil
}

// Checked reports whether the file has a checksum. Files of WriteChecked have
// one; other files, such as PyTorch's, have none. Files that an index names
// have one together if each of them has.
func (f *File) Checked() bool {
	if all, ok := f.r.(*parts); ok {
		return !slices.ContainsFunc(all.files, func(part *File) bool { return !part.Checked() })
	}
	return f.checksum.has
}

// Verify reads the whole file and compares its checksum. It returns nil for a
// file without one; see Checked. Of the files that an index names it reads
// those that have one. An error that wraps ErrDamaged means that the file is
// not as it was written.
func (f *File) Verify() error {
	if all, ok := f.r.(*parts); ok {
		for _, part := range all.files {
			if err := part.Verify(); err != nil {
				return err
			}
		}
		return nil
	}
	if !f.Checked() {
		return nil
	}
	if err := f.verify(); err != nil {
		return fmt.Errorf("state: %s: %w", f.name, err)
	}
	return nil
}

func (f *File) verify() error {
	head, err := f.head()
	if err != nil {
		return err
	}
	at, ok := digestPlace(head, f.checksum.digest)
	if !ok {
		return fmt.Errorf("%w: its checksum cannot be read", ErrDamaged)
	}
	copy(head[at:], noDigest)
	hash := sha256.New()
	hash.Write(head)
	start := int64(len(head))
	rest := io.NewSectionReader(f.r, start, f.size-start)
	n, err := io.CopyBuffer(hash, rest, make([]byte, 1+min(1<<20, rest.Size())))
	if err == nil && n != f.size-start {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("reading it to compare its checksum: %w", err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != f.checksum.digest {
		return fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	return nil
}

// head reads everything before the data again: the length and the JSON text.
func (f *File) head() ([]byte, error) {
	var prefix [prefixBytes]byte
	if err := readFullAt(f.r, prefix[:], 0); err != nil {
		return nil, fmt.Errorf("reading the header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader || n > uint64(f.size-prefixBytes) {
		return nil, errors.New("the header changed while the file was open")
	}
	head := make([]byte, prefixBytes+int(n))
	if err := readFullAt(f.r, head, 0); err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	return head, nil
}

// OpenVerified is Open followed by Verify.
func OpenVerified(path string) (*File, error) { return Options{}.OpenVerified(path) }

// OpenVerified is OpenVerified with options.
func (o Options) OpenVerified(path string) (*File, error) {
	f, err := o.Open(path)
	if err != nil {
		return nil, err
	}
	if err := f.Verify(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
