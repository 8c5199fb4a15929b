package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gobeit/gobeit/nn/state/filekind"
	"github.com/gobeit/gobeit/nn/state/regular"
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

// Options change how a file is opened. The zero value is what Open does.
type Options struct {
	// Key says which dict of a file of PyTorch has the tensors, by the keys that
	// lead to it, such as "model_ema" or "ema.module". Where there is no such
	// dict, and in a safetensors file or several files of an index, it is what
	// the names of the tensors begin with, before a dot. Empty: the dict that a
	// model is saved as.
	Key string
}

// reader makes a File of size bytes.
type reader func(r io.ReaderAt, size int64, name string) (*File, error)

// Open opens the file at path, of any format that it can tell from the first
// bytes. Close it after the last read. Path may also be an index of safetensors or
// PyTorch files that hold one model together, or a folder as Hugging Face's
// save_pretrained writes it.
//
// Of what torch.save wrote, the file's tensors are those of its state dict,
// which may stand beside other things, under a key such as "model" or
// "state_dict", or deeper. MetaContainer names it, MetaOthers those that it was
// preferred to, and MetaLeftOut other things.
func Open(path string) (*File, error) { return Options{}.Open(path) }

// Open is Open with options.
func (o Options) Open(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file, err := inFolder(path)
		if err != nil {
			return nil, err
		}
		path = file
	}
	if strings.HasSuffix(path, indexEnd) {
		return openParts(path, o.Key)
	}
	return openAs(path, o.read)
}

// read reads a file of any format.
func (o Options) read(r io.ReaderAt, size int64, name string) (*File, error) {
	var first [filekind.Head]byte
	n, err := r.ReadAt(first[:min(size, filekind.Head)], 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("state: %s: %w", name, err)
	}
	head := first[:n]
	if n > prefixBytes && head[prefixBytes] == '{' && !bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		f, err := ReadSafetensors(r, size, name)
		if err != nil {
			return nil, err
		}
		return f.narrowed(o.Key)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readZipKey(r, size, name, o.Key)
	case beginsLegacy(head):
		return readLegacyKey(r, size, name, o.Key)
	}
	return nil, fmt.Errorf("state: %s: %w", name, noWeights(head))
}

// noWeights says what a file is that holds no weights, and what to do.
func noWeights(head []byte) error {
	const wanted = "neither a safetensors file nor one that torch.save wrote"
	switch kind := filekind.Of(head); {
	case len(head) == 0:
		return errors.New("the file is empty: fetch it again")
	case kind.Name != "":
		return errors.New(kind.Complaint("a file of weights"))
	case bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")):
		return errors.New("this is JSON text, " + wanted + ": name the weights beside it")
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return errors.New("this is a pickle, " + wanted + ": load it in Python, and save its state dict with torch.save")
	}
	return errors.New(wanted)
}

// OpenSafetensors is Open for safetensors files alone.
func OpenSafetensors(path string) (*File, error) { return openAs(path, ReadSafetensors) }

func openAs(path string, read reader) (*File, error) {
	osFile, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	f, size, err := readSized(osFile, path, read)
	if err != nil {
		osFile.Close()
		return nil, err
	}
	f.closer = osFile
	f.mapping = mapFile(osFile, size)
	return f, nil
}

// readSized reads an open file as long as it is.
func readSized(osFile *os.File, path string, read reader) (f *File, size int64, err error) {
	info, err := osFile.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("state: %w", err)
	}
	f, err = read(osFile, info.Size(), path)
	return f, info.Size(), err
}
