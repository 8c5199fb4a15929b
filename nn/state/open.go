package state

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// Format is a way to store named tensors in a file.
type Format string

// The formats that Open knows.
const (
	Safetensors Format = "safetensors"
	TorchZip    Format = "PyTorch zip"    // torch.save since PyTorch 1.6
	TorchLegacy Format = "PyTorch legacy" // torch.save before that
	TorchScript Format = "TorchScript"    // torch.jit.save, a program with its weights
)

// reader makes a File of size bytes.
type reader func(r io.ReaderAt, size int64, name string) (*File, error)

// Open opens the file at path, of any format that it can tell from the first
// bytes. Close it after the last read.
//
// Of what torch.save wrote, the file's tensors are those of its state dict,
// which may stand under "model", "module" or "state_dict" beside other things.
// MetaContainer and MetaLeftOut name it and those.
func Open(path string) (*File, error) {
	return openAs(path, func(r io.ReaderAt, size int64, name string) (*File, error) {
		var first [len(legacyMagic)]byte
		n, _ := r.ReadAt(first[:], 0)
		switch start := first[:n]; {
		case bytes.HasPrefix(start, []byte("PK\x03\x04")):
			return ReadTorchZip(r, size, name)
		case n == len(first) && start[0] == legacyMagic[0] && bytes.Equal(start[2:], []byte(legacyMagic[2:])):
			return ReadTorchLegacy(r, size, name)
		case n <= prefixBytes || start[prefixBytes] != '{':
			return nil, fmt.Errorf("state: %s: neither a safetensors file nor one that torch.save wrote", name)
		}
		return ReadSafetensors(r, size, name)
	})
}

// OpenSafetensors is Open for safetensors files alone.
func OpenSafetensors(path string) (*File, error) { return openAs(path, ReadSafetensors) }

func openAs(path string, read reader) (*File, error) {
	// Stat first: opening a named pipe would block.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("state: %s: not a regular file", path)
	}
	osFile, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	f, err := read(osFile, info.Size(), path)
	if err != nil {
		osFile.Close()
		return nil, err
	}
	f.closer = osFile
	f.mapping = mapFile(osFile, info.Size())
	return f, nil
}
