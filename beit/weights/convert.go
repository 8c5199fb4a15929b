package weights

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// Container returns the key of the state dict in a PyTorch checkpoint that the authors' scripts read. It is "" for CLIP, DINO and
// DALL-E's encoder, whose files are plain state dicts.
func (m *Model) Container() string {
	if m.container != "" {
		return m.container
	}
	if m.Kind == CLIP || m.Kind == DINO || m.Kind == DALLE {
		return ""
	}
	return "model"
}

// Tensors returns the model's tensors under another naming, to be written with the data types and bytes of the file. dropped are the
// official names of tensors that have no name there.
// For Official it adds the buffers that follow from the window size, which the authors' code expects. Other namings do without them.
func (m *Model) Tensors(to Naming) (list []state.Named, dropped []string, err error) {
	if err := m.canBe(to); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", m.file.Name(), err)
	}
	table := namesOf(m.Kind)
	for _, name := range m.Names() {
		t := m.tensors[name]
		if count, ok := m.missingCount(name); ok {
			other := count
			if to == HF {
				other = table.toHF(count)[0]
			}
			list = append(list, state.Named{Name: other, DType: state.I64, Shape: []int{}, Read: func() ([]byte, error) { return make([]byte, 8), nil }})
		}
		if to != HF {
			list = append(list, m.named(name, t))
			if to == Official && strings.HasSuffix(name, tableName) {
				index, err := m.indexOf(name, t)
				if err != nil {
					return nil, nil, fmt.Errorf("%s: %w", m.file.Name(), err)
				}
				list = append(list, index)
			}
			continue
		}
		switch to := table.toHF(name); len(to) {
		case 0:
			dropped = append(dropped, name)
		case 1:
			if name == clipProjection {
				t = t.transpose()
			}
			list = append(list, m.named(to[0], t))
		default:
			if len(t.Shape) == 0 || t.Shape[0]%3 != 0 {
				return nil, nil, fmt.Errorf("%s: tensor %s has shape %v, which is not three equal parts", m.file.Name(), name, t.Shape)
			}
			n := t.Shape[0] / 3
			for i, part := range to {
				list = append(list, m.named(part, t.rowsOf(part, i*n, n)))
			}
		}
	}
	return list, dropped, nil
}

// missingCount is the name of the buffer that counts the batches of a batch norm, for the name of its running variance, where the model lacks it. Files
// of this project have none, and readers of other names expect it.
func (m *Model) missingCount(name string) (string, bool) {
	norm, ok := strings.CutSuffix(name, "running_var")
	return norm + batchesName, ok && m.tensors[norm+batchesName] == nil
}

// canBe returns an error if the model's kind does not have a naming.
func (m *Model) canBe(to Naming) error {
	known := map[Kind][]Naming{
		Classifier: {Official, TIMM, HF}, MIM: {Official, TIMM, HF}, DINO: {Official, TIMM, HF}, CLIP: {Official, HF}, Segmenter: {Official, HF},
		Tokenizer: {Official}, DALLE: {Official},
	}
	if !slices.Contains(known[m.Kind], to) {
		return fmt.Errorf("a %s has no %q names: there are %q", m.Kind, to, known[m.Kind])
	}
	if m.VQKD.Euclidean {
		return errors.New("its codes are compared by Euclidean distance, and readers of other names would compare them by cosine similarity")
	}
	return nil
}

// named returns a tensor to be written under a name.
func (m *Model) named(name string, t *Tensor) state.Named {
	return state.Named{Name: name, DType: t.DType, Shape: t.Shape, Read: func() ([]byte, error) { return m.bytes(t) }}
}

// transpose returns the transposed tensor.
func (t *Tensor) transpose() *Tensor {
	out := *t
	out.Shape = slices.Clone(t.Shape)
	slices.Reverse(out.Shape)
	out.transposed = !t.transposed
	return &out
}

// indexOf returns the buffer relative_position_index of a relative position bias table.
func (m *Model) indexOf(table string, t *Tensor) (state.Named, error) {
	window, err := m.windowOfTable(table, t.Shape)
	if err != nil {
		return state.Named{}, err
	}
	n := window.positions(false)
	return state.Named{
		Name: strings.TrimSuffix(table, tableName) + indexName, DType: state.I64, Shape: []int{n, n},
		Read: func() ([]byte, error) {
			b := make([]byte, 0, 8*n*n)
			for _, v := range nn.RelPosIndex(window[0], window[1]) {
				b = binary.LittleEndian.AppendUint64(b, uint64(v))
			}
			return b, nil
		},
	}, nil
}

// Convert writes the model to a file under another naming. The format is that of PyTorch if path ends in .pth, .pt or .bin. Otherwise it
// is safetensors with a checksum, and with meta and the taps of a segmenter as additional metadata.
// It returns the number of written tensors and the official names of tensors that have no name there. It does not check values. The file
// at path is replaced only after the new one is complete, and not if ctx is done.
func (m *Model) Convert(ctx context.Context, path string, to Naming, meta map[string]string) (written int, dropped []string, err error) {
	list, dropped, err := m.Tensors(to)
	if err != nil {
		return 0, nil, err
	}
	err = state.WriteFileAtomic(path, func(file io.Writer) error {
		w := untilDone{ctx, file}
		if IsTorch(path) {
			container := m.Container()
			if to != Official {
				container = ""
			}
			return state.WriteTorch(w, container, list)
		}
		all := map[string]string{"format": "pt"}
		maps.Copy(all, meta)
		if m.Kind == Segmenter && m.Segmenter.Head == beit.HeadUperNet {
			all[metaTaps] = m.Segmenter.Taps
		}
		return state.WriteChecked(w, all, list)
	})
	return len(list), dropped, err
}

// untilDone is a Writer that fails when its context is done.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u untilDone) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}

// IsTorch reports whether Convert writes PyTorch's format to a file of that name.
func IsTorch(path string) bool {
	return slices.ContainsFunc([]string{".pth", ".pt", ".bin"}, func(end string) bool { return strings.HasSuffix(strings.ToLower(path), end) })
}
