package traintest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn/state"
)

// Hollow writes a sparse safetensors file with names and shapes of tensors, and the values of those that have Float32s. All other data are zeros, and take
// no disk space.
func Hollow(t testing.TB, list []state.Named) string {
	t.Helper()
	var header bytes.Buffer
	offset := 0
	filled := map[int][]byte{}
	for i, n := range list {
		if i > 0 {
			header.WriteByte(',')
		}
		size := n.DType.Size() * state.Entry{Shape: n.Shape}.Len()
		shape := strings.ReplaceAll(fmt.Sprint(n.Shape), " ", ",")
		fmt.Fprintf(&header, "%q:{\"dtype\":%q,\"shape\":%s,\"data_offsets\":[%d,%d]}", n.Name, n.DType, shape, offset, offset+size)
		for _, v := range n.Float32s {
			filled[offset] = binary.LittleEndian.AppendUint32(filled[offset], math.Float32bits(v))
		}
		offset += size
	}
	text := append(binary.LittleEndian.AppendUint64(nil, uint64(header.Len()+2)), "{"+header.String()+"}"...)
	path := filepath.Join(t.TempDir(), "hollow.safetensors")
	f, err := os.Create(path)
	if err == nil {
		_, err = f.Write(text)
	}
	for at, values := range filled {
		if err == nil {
			_, err = f.WriteAt(values, int64(len(text)+at))
		}
	}
	if err == nil {
		err = f.Truncate(int64(len(text) + offset))
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
