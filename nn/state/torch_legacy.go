package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/gobeit/gobeit/nn/state/internal/pickle"
)

// legacyNumber is what files of torch.save began with before PyTorch 1.6, as the
// first of their pickles. legacyVersion is the one version of the layout.
var legacyNumber, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

const legacyVersion = 1001

// legacyHead is how many bytes the first pickle takes at most, of any protocol.
const legacyHead = 64

// beginsLegacy reports whether a file begins with that number.
func beginsLegacy(head []byte) bool {
	head = head[:min(len(head), legacyHead)]
	v, _, err := pickle.Read(bytes.NewReader(head), int64(len(head)), pickle.Hooks{Call: noCall})
	n, ok := v.(*big.Int)
	return err == nil && ok && n.Cmp(legacyNumber) == 0
}

func noCall(pickle.Class, pickle.Tuple) (any, error) { return nil, errors.New("is called") }

// ReadTorchLegacy reads a file of torch.save before PyTorch 1.6, of size bytes from
// r, which stays in use until the last read. It consists of five pickles and the
// storages. The fourth pickle has the tensors, and the last the order of the
// storages. No program of it is run. Errors call the file name.
func ReadTorchLegacy(r io.ReaderAt, size int64, name string) (*File, error) {
	return readLegacyKey(r, size, name, "")
}

// readLegacyKey is ReadTorchLegacy for the tensors under a key.
func readLegacyKey(r io.ReaderAt, size int64, name, key string) (*File, error) {
	l := &legacy{r: r, size: size, storages: map[string]*storage{}}
	root, err := l.read()
	if err == nil {
		var f *File
		if f, err = (pickled{r, size, name, TorchLegacy, true, root}).file(key); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("state: %s: %w", name, err)
}

type legacy struct {
	r        io.ReaderAt
	size     int64
	at       int64               // bytes read
	storages map[string]*storage // whole ones
	views    []*storage          // parts of them, which share their keys
}

// next reads the next pickle.
func (l *legacy) next(what string, hooks pickle.Hooks) (any, error) {
	v, n, err := pickle.Read(io.NewSectionReader(l.r, l.at, l.size-l.at), l.size-l.at, hooks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	l.at += n
	return v, nil
}

// read returns the object that was saved.
func (l *legacy) read() (any, error) {
	plain := torchHooks(nil)
	plain.Persistent = nil
	magic, err := l.next("first number", plain)
	if err != nil {
		return nil, err
	}
	if n, ok := magic.(*big.Int); !ok || n.Cmp(legacyNumber) != 0 {
		return nil, errors.New("does not begin with PyTorch's number")
	}
	version, err := l.next("version", plain)
	if err != nil {
		return nil, err
	}
	if version != int64(legacyVersion) {
		return nil, fmt.Errorf("the version is not %d, the only one there has been", legacyVersion)
	}
	system, err := l.next("description of the system", plain)
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*pickle.Dict); ok {
		if little, ok := d.Get("little_endian"); ok && little != true {
			return nil, errors.New("the byte order is not little-endian")
		}
	}
	root, err := l.next("object", torchHooks(l.find))
	if err != nil {
		return nil, err
	}
	keys, err := l.next("list of storages", plain)
	if err != nil {
		return nil, err
	}
	return root, l.locate(keys)
}

// find reads ("storage", class, key, device, elements, part), where part is nil or
// (key, first element, elements).
func (l *legacy) find(id pickle.Tuple) (*storage, error) {
	s, err := storageOf(id)
	if err == nil && s.dtype == "" { // its bytes have to be passed over
		err = fmt.Errorf("a storage of type %s cannot be read", quote(s.class))
	}
	if err != nil {
		return nil, err
	}
	if old := l.storages[s.key]; old == nil {
		l.storages[s.key] = s
	} else if old.dtype != s.dtype || old.length != s.length {
		return nil, fmt.Errorf("storage %s is of two kinds", quote(s.key))
	} else {
		s = old
	}
	if len(id) < 6 || id[5] == nil {
		return s, nil
	}
	part, ok := id[5].(pickle.Tuple)
	if !ok || len(part) != 3 {
		return nil, fmt.Errorf("a part of storage %s cannot be read", quote(s.key))
	}
	first, ok1 := part[1].(int64)
	length, ok2 := part[2].(int64)
	if !ok1 || !ok2 || first < 0 || length < 0 || length > s.length || first > s.length-length {
		return nil, fmt.Errorf("a part of storage %s reaches past its %d elements", quote(s.key), s.length)
	}
	view := *s
	view.first, view.length = first, length
	l.views = append(l.views, &view)
	return &view, nil
}

// locate finds the storages, which follow in the order of keys: the number of
// elements in 8 bytes, then these.
func (l *legacy) locate(keys any) error {
	list, ok := keys.(*pickle.List)
	if !ok {
		return errors.New("the list of storages is none")
	}
	located := map[string]bool{}
	for _, k := range list.Items {
		key, _ := k.(string)
		s := l.storages[key]
		if s == nil || located[key] {
			return fmt.Errorf("storage %s is listed, but no tensor has it or it was there before", quote(key))
		}
		var count [8]byte
		if err := readFullAt(l.r, count[:], l.at); err != nil {
			return fmt.Errorf("storage %s: %w (file truncated?)", quote(key), err)
		}
		n, width := binary.LittleEndian.Uint64(count[:]), int64(s.dtype.Size())
		if n != uint64(s.length) {
			return fmt.Errorf("storage %s has %d elements, its tensors say %d", quote(key), n, s.length)
		}
		s.offset = l.at + 8
		if s.length*width > l.size-s.offset {
			return fmt.Errorf("storage %s: %d bytes at %d run past the %d bytes of the file (truncated?)", quote(key), s.length*width, s.offset, l.size)
		}
		l.at = s.offset + s.length*width
		located[key] = true
	}
	for _, key := range sortedKeys(l.storages) {
		if !located[key] {
			return fmt.Errorf("storage %s is not in the list of storages", quote(key))
		}
	}
	for _, v := range l.views {
		v.offset = l.storages[v.key].offset
	}
	return nil
}
