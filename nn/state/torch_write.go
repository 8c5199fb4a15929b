package state

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// WriteTorch writes a file that torch.load reads: a dict of the tensors, in their
// order, under a key of an outer dict, or with an empty key that dict alone.
// Tensors are checked first, so that a wrong one writes nothing, and then
// streamed.
func WriteTorch(w io.Writer, key string, tensors []Named) error {
	description, err := pickleOf(key, tensors)
	if err != nil {
		return fmt.Errorf("state: WriteTorch: %w", err)
	}
	t := &torchWriter{out: &counter{w: w}}
	t.zip = zip.NewWriter(t.out)
	t.add(describing, func(w io.Writer) error {
		_, err := w.Write(description)
		return err
	})
	t.add("byteorder", func(w io.Writer) error {
		_, err := io.WriteString(w, "little")
		return err
	})
	buf := make([]byte, 0, 64<<10)
	for i, n := range tensors {
		t.add("data/"+strconv.Itoa(i), func(w io.Writer) error { return n.writeData(w, buf) })
	}
	t.add("version", func(w io.Writer) error {
		_, err := io.WriteString(w, "3\n")
		return err
	})
	if t.err == nil {
		t.err = t.zip.Close()
	}
	if t.err != nil {
		return fmt.Errorf("state: %w", t.err)
	}
	return nil
}

// torchWriter adds files to an archive until one fails.
type torchWriter struct {
	zip *zip.Writer
	out *counter
	err error
}

// torchAlign is where PyTorch lets data begin: at multiples of this, so that
// they can be mapped.
const torchAlign = 64

// add writes one uncompressed file. The header's extra field is filled up so that
// the data are aligned.
func (t *torchWriter) add(name string, write func(io.Writer) error) {
	if t.err != nil {
		return
	}
	// Bytes of a local header, of an extra field before its contents, and of the descriptor that ends the file before.
	const fixed, field, descriptor = 30, 4, 16
	full := "archive/" + name
	if t.err = t.zip.Flush(); t.err != nil {
		return
	}
	start := t.out.n + fixed + int64(len(full)) + field
	if t.out.n > 0 {
		start += descriptor
	}
	padding := int((torchAlign - start%torchAlign) % torchAlign)
	extra := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(padding))
	extra = append(extra, bytes.Repeat([]byte("Z"), padding)...)
	f, err := t.zip.CreateHeader(&zip.FileHeader{Name: full, Method: zip.Store, Extra: extra})
	if err == nil {
		err = write(f)
	}
	if err != nil {
		t.err = fmt.Errorf("writing %s: %w", quote(name), err)
	}
}

// counter counts bytes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// pickleOf describes the tensors, each a view of a storage of its own. It is
// protocol 2, whose operations are named in Python's pickletools.
func pickleOf(key string, tensors []Named) ([]byte, error) {
	classes := map[DType]string{}
	for class, d := range torchStorages {
		classes[d] = class
	}
	b := []byte("\x80\x02")
	text := func(s string) {
		b = append(b, 'X')
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	number := func(n int) {
		b = append(b, 0x8a, 8)
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	if key != "" {
		b = append(b, '}')
		text(key)
	}
	b = append(b, "ccollections\nOrderedDict\n)R("...)
	seen := map[string]bool{}
	for i, t := range tensors {
		class := classes[t.DType]
		_, err := t.check()
		switch {
		case err != nil:
		case class == "":
			err = fmt.Errorf("PyTorch has no storage for %s", t.DType)
		case seen[t.Name]:
			err = errors.New("stands twice")
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %s: %w", quote(t.Name), err)
		}
		seen[t.Name] = true
		text(t.Name)
		b = append(b, "ctorch._utils\n_rebuild_tensor_v2\n(("...)
		text("storage")
		b = append(b, "ctorch\n"+class+"\n"...)
		text(strconv.Itoa(i))
		text("cpu")
		number(Entry{Shape: t.Shape}.Len())
		b = append(b, "tQK\x00("...) // the tensor begins with the storage's element 0
		for _, n := range t.Shape {
			number(n)
		}
		b = append(b, "t("...)
		for axis := range t.Shape {
			step := 1
			for _, n := range t.Shape[axis+1:] {
				step *= max(n, 1)
			}
			number(step)
		}
		b = append(b, "t\x89ccollections\nOrderedDict\n)RtR"...)
	}
	b = append(b, 'u')
	if key != "" {
		b = append(b, 's')
	}
	return append(b, '.'), nil
}
