package weights

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
)

// Model is an open file of weights.
type Model struct {
	Kind   Kind
	Naming Naming
	ViT    beit.ViTConfig   // of the network; of a Tokenizer's encoder; of CLIP's image encoder, as far as a ViTConfig can describe it
	MIM    beit.MIMConfig   // of a MIM model
	VQKD   beit.VQKDConfig  // of a Tokenizer
	CLIP   beit.CLIPConfig  // of a CLIP
	DALLE  beit.DALLEConfig // of a DALLE, which is no vision transformer

	Segmenter beit.SegmenterConfig // of a Segmenter; without a Head where its head is not known here

	Wrapped []string // parts of names in the file that wrappers of modules put there, such as module and _orig_mod
	Prefix  string   // that was removed from the names in the file beside these; it ends with a dot
	Rivals  []string // prefixes of other models in the file
	LeftOut []string // tensors of the file that are not part of the model, by their names in the file; without buffers that follow from the window size

	Classes []string // names of a classifier's classes, where a file beside it has them
	Notes   []*Note  // what was taken, and what was assumed

	file      *state.File
	tensors   map[string]*Tensor
	container string     // key of the state dict in files for PyTorch, where it is not that of the kind
	norm      *data.Norm // that a file beside it states; or nil
}

// Tensor is a tensor of a model under its official name.
type Tensor struct {
	Name  string
	DType state.DType
	Shape []int

	pieces     []piece
	transposed bool // the file has the transposed matrix
}

// piece is a tensor of the file, or some of its rows.
type piece struct {
	entry       state.Entry
	first, rows int // rows is 0 for a scalar
	order       int // of query, key and value: 1, 2, 3; 0: not one of them
}

// Open opens the file at path. Close it after the last read.
func Open(path string) (*Model, error) {
	f, err := state.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := FromFile(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return m, nil
}

// FromFile returns the Model of an open file, which must stay open. Files beside it, such as config.json, say what names and shapes do not.
func FromFile(f *state.File) (*Model, error) {
	m, err := FromFileWithoutConfig(f)
	if err != nil {
		return nil, err
	}
	err = m.infer()
	if err == nil {
		err = m.describe()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return m, nil
}

// FromFileWithoutConfig is FromFile for a file whose configuration is known: it does not infer one from shapes.
func FromFileWithoutConfig(f *state.File) (*Model, error) {
	m := &Model{file: f, tensors: map[string]*Tensor{}}
	if err := m.collect(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	m.noteOrigin()
	return m, nil
}

// Close closes the file.
func (m *Model) Close() error { return m.file.Close() }

// File is the file of the model.
func (m *Model) File() *state.File { return m.file }

// Names returns the official names of the tensors, sorted.
func (m *Model) Names() []string { return slices.Sorted(maps.Keys(m.tensors)) }

// Tensor returns the tensor with an official name.
func (m *Model) Tensor(name string) (Tensor, bool) {
	t, ok := m.tensors[name]
	if !ok {
		return Tensor{}, false
	}
	return *t, true
}

// partOfMany is the end of the name of one of several files that hold a model
// together.
var partOfMany = regexp.MustCompile(`-\d{5}-of-(\d{5})\.\w+$`)

// collect assigns the file's tensors to the parameters of the model.
func (m *Model) collect() error {
	if part := partOfMany.FindStringSubmatch(m.file.Name()); part != nil && part[1] != "00001" {
		return errors.New("is one of several files that hold a model together: name their folder, or the file that ends in .index.json")
	}
	list := m.file.Names()
	plain := make([]string, len(list))
	for i, name := range list {
		plain[i] = fromHF5(unwrapped(name))
	}
	h := findHome(plain)
	m.Wrapped, m.Prefix, m.Rivals = wrappersIn(list), h.prefix, h.rivals
	inside := h.inside(plain)
	bare := bareBEiT(inside)
	if bare {
		for i := range inside {
			inside[i] = "beit." + inside[i]
		}
	}
	var err error
	if m.Kind, m.Naming, err = detect(inside); err != nil {
		return m.unknown(err)
	}
	for i, file := range list {
		name, ours := h.rest(plain[i], func(n string) bool {
			if bare {
				n = "beit." + n
			}
			return m.known(n)
		})
		if bare {
			name = "beit." + name
		}
		if err := m.collectOne(file, name, ours); err != nil {
			return err
		}
	}
	if err := m.join(); err != nil || m.Kind != Classifier {
		return err
	}
	return m.dropKeyBias()
}

// collectOne assigns a tensor of the file to the parameter of a name, unless it is
// no part of the model.
func (m *Model) collectOne(file, name string, ours bool) error {
	if m.Kind == DINO {
		name = strings.TrimPrefix(name, "vit.")
	}
	if strings.HasSuffix(name, indexName) {
		return nil
	}
	e, _ := m.file.Entry(file)
	if !ours || ignored(m.Kind, name) || !e.DType.Numeric() && !m.known(name) {
		m.LeftOut = append(m.LeftOut, file)
		return nil
	}
	if !e.Readable() {
		return fmt.Errorf("tensor %q is %s, which cannot be read: save it as an ordinary tensor", file, e.DType)
	}
	third := 0
	if m.Naming == HF {
		to, part, ok := namesOf(m.Kind).fromHF(name)
		if !ok {
			return fmt.Errorf("tensor %q is no part of a %s of Hugging Face", file, m.Kind)
		}
		name, third = to, part
	}
	return m.add(name, file, third)
}

// known reports whether a model of this kind and naming may have a tensor of a
// name.
func (m *Model) known(name string) bool {
	table := namesOf(m.Kind)
	if m.Naming == HF {
		if m.Kind == DINO {
			name = strings.TrimPrefix(name, "vit.")
		}
		_, _, ok := table.fromHF(name)
		return ok
	}
	switch m.Kind {
	case Tokenizer:
		return hasPrefix(name, []string{"encoder.", "decoder.", "quantize.", "encode_task_layer.", "decode_task_layer."})
	case DALLE:
		return hasPrefix(name, []string{"blocks."})
	case MIM:
		if hasPrefix(name, []string{"cls_pt_"}) {
			return true
		}
	case Classifier:
		if strings.HasSuffix(name, attentionBias) {
			return true
		}
	}
	return len(table.toHF(name)) > 0
}

// unknown adds to an error what the file has, and what to do.
func (m *Model) unknown(err error) error {
	names := m.file.Names()
	switch beside := m.beside(); {
	case len(names) == 0 && beside != "":
		return fmt.Errorf("%w; there are no tensors under names; the keys are %s", err, cutShort(beside))
	case len(names) == 0:
		return fmt.Errorf("%w; there are no tensors", err)
	}
	if m.file.Format() == state.TorchScript {
		err = fmt.Errorf("%w; this is a TorchScript archive of another network", err)
	}
	const most = 4
	text := fmt.Sprintf("%q", names[:min(most, len(names))])
	return fmt.Errorf("%w; the %d tensors are called %s", err, len(names), cutShort(text))
}

// beside lists the keys of a file of PyTorch under which there are no tensors.
func (m *Model) beside() string {
	meta := m.file.Metadata()
	var keys []string
	for key := range meta {
		if name, ok := strings.CutPrefix(key, state.MetaBeside); ok {
			keys = append(keys, fmt.Sprintf("%q", name))
		}
	}
	slices.Sort(keys)
	if text := meta[state.MetaLeftOut]; text != "" {
		keys = append(keys, text)
	}
	return strings.Join(keys, ", ")
}

// cutShort cuts a text for a message.
func cutShort(s string) string {
	const most = 300
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// add adds a tensor of the file to the parameter name.
func (m *Model) add(name, file string, third int) error {
	e, _ := m.file.Entry(file)
	t := m.tensors[name]
	if t == nil {
		t = &Tensor{Name: name, DType: e.DType, Shape: slices.Clone(e.Shape)}
		m.tensors[name] = t
	} else if third == 0 {
		return fmt.Errorf("tensor %q is there twice, once as %q", name, file)
	}
	if m.Naming == HF && name == clipProjection {
		t.transposed = true
		slices.Reverse(t.Shape)
	}
	p := piece{entry: e, order: third}
	if len(e.Shape) > 0 {
		p.rows = e.Shape[0]
	}
	t.pieces = append(t.pieces, p)
	return nil
}

// join sorts the parts of tensors that are stored as query, key and value.
func (m *Model) join() error {
	for _, t := range m.tensors {
		if t.pieces[0].order == 0 {
			continue
		}
		slices.SortFunc(t.pieces, func(a, b piece) int { return cmp.Compare(a.order, b.order) })
		first := t.pieces[0].entry
		for i, p := range t.pieces {
			if p.order != i+1 || p.entry.DType != first.DType || !slices.Equal(p.entry.Shape, first.Shape) || len(p.entry.Shape) == 0 {
				return fmt.Errorf("tensor %s: query, key and value differ in shape or type, or one of them is missing or there twice", t.Name)
			}
		}
		if len(t.pieces) != 3 {
			return fmt.Errorf("tensor %s: there are %d of its three parts", t.Name, len(t.pieces))
		}
		t.Shape[0] = 3 * first.Shape[0]
	}
	return nil
}

// rowsOf returns some rows of a tensor under another name.
func (t *Tensor) rowsOf(name string, first, n int) *Tensor {
	part := &Tensor{Name: name, DType: t.DType, Shape: slices.Clone(t.Shape)}
	part.Shape[0] = n
	for _, p := range t.pieces {
		from, to := max(first, 0), min(first+n, p.rows)
		if from < to {
			cut := p
			cut.first, cut.rows = p.first+from, to-from
			part.pieces = append(part.pieces, cut)
		}
		first -= p.rows
	}
	return part
}

// whole reports whether a tensor is stored in the file as it is.
func (t *Tensor) whole() bool {
	p := t.pieces[0]
	return len(t.pieces) == 1 && !t.transposed && (len(p.entry.Shape) == 0 || p.rows == p.entry.Shape[0])
}

// bytes reads the elements in the data type of the file, row-major.
func (m *Model) bytes(t *Tensor) ([]byte, error) {
	var all []byte
	for _, p := range t.pieces {
		b, err := m.file.Bytes(p.entry.Name)
		if err != nil {
			return nil, err
		}
		if len(p.entry.Shape) > 0 && p.entry.Shape[0] > 0 {
			row := len(b) / p.entry.Shape[0]
			b = b[p.first*row : (p.first+p.rows)*row]
		}
		if t.whole() {
			return b, nil
		}
		all = append(all, b...)
	}
	if t.transposed && len(t.Shape) == 2 {
		all = transposed(all, t.Shape[1], t.Shape[0], t.DType.Size())
	}
	return all, nil
}

// transposed transposes a rows x cols matrix of elements of width bytes.
func transposed(b []byte, rows, cols, width int) []byte {
	out := make([]byte, len(b))
	for i := range rows * cols {
		to := i%cols*rows + i/cols
		copy(out[to*width:(to+1)*width], b[i*width:])
	}
	return out
}

// floats calls use with the values of a tensor. use must not keep or change them.
func (m *Model) floats(l *state.TensorReader, t *Tensor, use func([]float32) error) error {
	checked := func(v []float32) error {
		if i := notFinite(v); i >= 0 {
			return fmt.Errorf("element %d is %v: the weights are damaged, or their training diverged", i, v[i])
		}
		return use(v)
	}
	if t.whole() {
		return l.Float32s(m.file, t.pieces[0].entry.Name, checked)
	}
	all := make([]float32, 0, size(t.Shape))
	for _, p := range t.pieces {
		err := l.Float32s(m.file, p.entry.Name, func(v []float32) error {
			row := len(v) / max(p.entry.Shape[0], 1)
			all = append(all, v[p.first*row:(p.first+p.rows)*row]...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if t.transposed && len(t.Shape) == 2 {
		turned := make([]float32, len(all))
		rows, cols := t.Shape[1], t.Shape[0] // as they lie in the file
		for i, x := range all {
			turned[i%cols*rows+i/cols] = x
		}
		all = turned
	}
	if err := checked(all); err != nil {
		return fmt.Errorf("%s: tensor %s: %w", m.file.Name(), t.Name, err)
	}
	return nil
}

// notFinite returns the index of the first element that is not finite, or -1.
func notFinite(v []float32) int {
	for i, x := range v {
		if x-x != 0 {
			return i
		}
	}
	return -1
}

// size is the number of elements of a shape.
func size(shape []int) int { return state.Entry{Shape: shape}.Len() }

// Backbone returns the image encoder, under the parameter names of a classifier: a tokenizer's encoder, a segmenter's backbone, or DINO
// without the biases of its keys. Those do not change the output of the softmax. Other models are returned as they are. The result shares
// the file.
func (m *Model) Backbone() (*Model, error) {
	prefix := ""
	switch m.Kind {
	case Tokenizer:
		prefix = "encoder."
	case Segmenter:
		prefix = "backbone."
	case DINO:
		return m.withoutKeyBias()
	default:
		return m, nil
	}
	b := *m
	b.LeftOut = slices.Clone(m.LeftOut)
	b.tensors = map[string]*Tensor{}
	for name, t := range m.tensors {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || strings.HasPrefix(rest, "fpn") {
			for _, p := range t.pieces {
				b.LeftOut = append(b.LeftOut, p.entry.Name)
			}
			continue
		}
		renamed := *t
		renamed.Name = rest
		b.tensors[rest] = &renamed
	}
	slices.Sort(b.LeftOut)
	return &b, nil
}

// Without returns the model without the tensors whose names begin with prefix. The result shares the file.
func (m *Model) Without(prefix string) *Model {
	b := *m
	b.tensors = maps.Clone(m.tensors)
	maps.DeleteFunc(b.tensors, func(name string, _ *Tensor) bool { return strings.HasPrefix(name, prefix) })
	return &b
}

// Part returns a part of a model of a kind that this package does not know, as one that it does: without the tensors whose names begin with a prefix.
// Files for PyTorch have it under key container. The result shares the file.
func (m *Model) Part(kind Kind, container string, without ...string) *Model {
	b := *m
	b.Kind, b.Naming, b.container = kind, Official, container
	b.tensors, b.LeftOut = maps.Clone(m.tensors), slices.Clone(m.LeftOut)
	for name, t := range m.tensors {
		if hasPrefix(name, without) {
			delete(b.tensors, name)
			for _, p := range t.pieces {
				b.LeftOut = append(b.LeftOut, p.entry.Name)
			}
		}
	}
	slices.Sort(b.LeftOut)
	return &b
}

// Values reads the values of a tensor by its official name. A name that is not there is an error.
func (m *Model) Values(name string) (values []float32, err error) {
	t := m.tensors[name]
	if t == nil {
		return nil, fmt.Errorf("%s: there is no tensor %s", m.file.Name(), name)
	}
	err = m.floats(new(state.TensorReader), t, func(v []float32) error {
		values = slices.Clone(v)
		return nil
	})
	return values, err
}

// CountBlocks is the number of elements of a list of modules, whose names begin with prefix and a number.
func (m *Model) CountBlocks(prefix string) int {
	seen := map[string]bool{}
	for name := range m.tensors {
		if number, _, ok := inBlock(name, prefix); ok {
			seen[number] = true
		}
	}
	return len(seen)
}

// Near reports whether a tensor has these values, as far as 16 bits tell numbers of about 1 apart.
func (m *Model) Near(name string, want []float32) bool {
	const tolerance = 2e-3
	t := m.tensors[name]
	if t == nil || size(t.Shape) != len(want) {
		return false
	}
	values, err := m.Values(name)
	if err != nil {
		return false
	}
	for i, v := range values {
		if d := v - want[i]; d > tolerance || d < -tolerance {
			return false
		}
	}
	return true
}

// Renamed returns the model with another prefix of names. The result shares the file.
func (m *Model) Renamed(from, to string) *Model {
	b := *m
	b.tensors = map[string]*Tensor{}
	for name, t := range m.tensors {
		if rest, ok := strings.CutPrefix(name, from); ok {
			renamed := *t
			name = to + rest
			renamed.Name = name
			t = &renamed
		}
		b.tensors[name] = t
	}
	return &b
}

// withoutKeyBias is the model without biases of keys.
func (m *Model) withoutKeyBias() (*Model, error) {
	b := *m
	b.tensors = maps.Clone(m.tensors)
	return &b, b.dropKeyBias()
}

// dropKeyBias splits biases of queries, keys and values together, and drops those of keys: they add the same to all scores of a query, which softmax
// takes out again.
func (m *Model) dropKeyBias() error {
	for _, name := range m.Names() {
		block, ok := strings.CutSuffix(name, "attn.qkv.bias")
		if !ok {
			continue
		}
		t := m.tensors[name]
		if len(t.Shape) != 1 || t.Shape[0]%3 != 0 {
			return fmt.Errorf("%s: tensor %s has shape %v, wanted is one axis of three equal parts", m.file.Name(), name, t.Shape)
		}
		d := t.Shape[0] / 3
		for third, bias := range map[int]string{0: "attn.q_bias", 2: "attn.v_bias"} {
			m.tensors[block+bias] = t.rowsOf(block+bias, third*d, d)
		}
		delete(m.tensors, name)
	}
	return nil
}

// FromFileAs returns a Model of an open file with the tensor names of the file, without checks of the network. kind is any name of its
// kind. Tensors whose names begin with a prefix in ignored are no part of it, nor are a checkpoint's other tensors.
func FromFileAs(f *state.File, kind Kind, ignored ...string) (*Model, error) {
	m := &Model{file: f, Kind: kind, Naming: Official, tensors: map[string]*Tensor{}}
	for _, name := range f.Names() {
		if strings.HasPrefix(name, "train.") || hasPrefix(name, ignored) {
			m.LeftOut = append(m.LeftOut, name)
			continue
		}
		if err := m.add(name, name, 0); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return m, nil
}

// Known reports whether a kind is one of the constants of this package.
func Known(k Kind) bool {
	switch k {
	case Classifier, MIM, Tokenizer, Segmenter, CLIP, DINO, DALLE:
		return true
	}
	return false
}
