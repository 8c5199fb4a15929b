package weights

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// Container is the key under which the authors' scripts look for a model in a file of PyTorch; empty where they want its tensors at the
// top. CLIP's and DINO's do.
func (m *Model) Container() string {
	if m.Kind == CLIP || m.Kind == DINO {
		return ""
	}
	return "model"
}

// Tensors lists the model's tensors under the names of another ecosystem, to be written: types and bytes are those of the file. dropped are
// official names of tensors that have none there. The buffers that follow from the window's size are made anew for the authors, whose own
// code wants them, and left out for others.
func (m *Model) Tensors(to Naming) (list []state.Named, dropped []string, err error) {
	if err := m.canBe(to); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", m.file.Name(), err)
	}
	table := namesOf(m.Kind)
	for _, name := range m.Names() {
		t := m.tensors[name]
		if to != HF {
			list = append(list, m.named(name, t))
			if to == Official && strings.HasSuffix(name, tableName) {
				index, err := indexOf(name, t)
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
				t = t.turned()
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

// canBe says whether a naming exists for the kind.
func (m *Model) canBe(to Naming) error {
	known := map[Kind][]Naming{
		Classifier: {Official, TIMM, HF}, MIM: {Official, TIMM, HF}, DINO: {Official, TIMM, HF}, CLIP: {Official, HF}, Segmenter: {Official, HF},
		Tokenizer: {Official},
	}
	if !slices.Contains(known[m.Kind], to) {
		return fmt.Errorf("a %s has no %q names: there are %q", m.Kind, to, known[m.Kind])
	}
	return nil
}

// named is a tensor to be written under a name.
func (m *Model) named(name string, t *Tensor) state.Named {
	return state.Named{Name: name, DType: t.DType, Shape: t.Shape, Read: func() ([]byte, error) { return m.bytes(t) }}
}

// turned is the transposed tensor.
func (t *Tensor) turned() *Tensor {
	out := *t
	out.Shape = slices.Clone(t.Shape)
	slices.Reverse(out.Shape)
	out.transposed = !t.transposed
	return &out
}

// indexOf is the buffer that belongs to a table of relative positions.
func indexOf(table string, t *Tensor) (state.Named, error) {
	window, err := checkWindow(table, t.Shape)
	if err != nil {
		return state.Named{}, err
	}
	n := window*window + 1
	return state.Named{
		Name: strings.TrimSuffix(table, tableName) + indexName, DType: state.I64, Shape: []int{n, n},
		Read: func() ([]byte, error) {
			b := make([]byte, 0, 8*n*n)
			for _, v := range nn.RelPosIndex(window, window) {
				b = binary.LittleEndian.AppendUint64(b, uint64(v))
			}
			return b, nil
		},
	}, nil
}

// Convert writes the model to a file at path under the names of another ecosystem: as PyTorch would where the name ends in .pth, .pt or
// .bin, and else as safetensors, which then also say what meta does. It returns the number of tensors written, and the official names of those
// that have no place there. Values are not looked at. The file at path is replaced only when the new one is whole, and ctx not done.
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
		return state.WriteSafetensors(w, all, list)
	})
	return len(list), dropped, err
}

// untilDone writes until its context is done.
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

// IsTorch says whether Convert writes a file of that name as PyTorch would.
func IsTorch(path string) bool {
	return slices.ContainsFunc([]string{".pth", ".pt", ".bin"}, func(end string) bool { return strings.HasSuffix(strings.ToLower(path), end) })
}
