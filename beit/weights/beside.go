package weights

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// Note tells what of a file of weights was taken, or what it does not say and was assumed.
type Note struct {
	Text    string // one line that names the file
	Assumed bool   // it may be wrong
}

// Error is the text.
func (n *Note) Error() string { return n.Text }

// The files beside weights that say what names and shapes do not.
const (
	configFile       = "config.json"              // of transformers, or of timm
	preprocessorFile = "preprocessor_config.json" // of transformers
	processorFile    = "processor_config.json"    // of transformers 5
	openCLIPFile     = "open_clip_config.json"
)

const maxBeside = 16 << 20 // bytes of such a file: the names of 21,841 classes take 2 MB

// fields are the keys of a JSON object. Values are read one by one: a file may have others of any form.
type fields map[string]json.RawMessage

// get reads the value of a key into to, and reports whether it has the form of to. Otherwise to stays as it is.
func get[T any](f fields, key string, to *T) bool {
	var value T
	if f[key] == nil || string(f[key]) == "null" || json.Unmarshal(f[key], &value) != nil {
		return false
	}
	*to = value
	return true
}

// object is the object under a key, empty where there is none.
func (f fields) object(key string) (inner fields) {
	get(f, key, &inner)
	return inner
}

// beside is what the files beside weights say.
type beside struct {
	norm    *data.Norm
	act     string // activation function
	classes []string
	taps    []int    // out_indices of a segmenter; nil where they are not told
	from    []string // names of the files that were believed
	strange []string // what is wrong with others
}

// lookBeside reads the files in the folder of the model, as far as they describe it.
func (m *Model) lookBeside() beside {
	var b beside
	dir := filepath.Dir(m.file.Name())
	for _, file := range []struct {
		name string
		take func(*Model, *beside, fields) error
	}{{configFile, takeConfig}, {openCLIPFile, takeOpenCLIP}, {processorFile, takeProcessor}, {preprocessorFile, takePreprocessor}} {
		f, err := readFields(filepath.Join(dir, file.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		next := b // a file is used whole or not at all
		if err == nil {
			err = file.take(m, &next, f)
		}
		if err == nil {
			b = next
			b.from = append(b.from, file.name)
			continue
		}
		b.strange = append(b.strange, fmt.Sprintf("%s beside it is not used: %v", file.name, err))
		if file.name == configFile && errors.Is(err, errOther) { // the others belong to that model too
			break
		}
	}
	return b
}

// readFields reads a JSON object.
func readFields(path string) (f fields, err error) {
	text, err := regular.ReadAtMost(path, maxBeside)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	return f, err
}

// errOther is wrapped by the error of a file about another model.
var errOther = errors.New("it describes another model")

// same compares a number that a file states with that of the model.
func (f fields) same(key string, want int) error {
	var got int
	if get(f, key, &got) && got != want {
		return fmt.Errorf("%w: its %s is %d, here it is %d", errOther, key, got, want)
	}
	return nil
}

// takeConfig reads config.json.
func takeConfig(m *Model, b *beside, f fields) error {
	network := f
	if inner := f.object("vision_config"); len(inner) > 0 {
		network = inner
	}
	if err := cmp.Or(network.same("hidden_size", m.ViT.Width), network.same("num_hidden_layers", m.ViT.Depth), f.same("num_features", m.ViT.Width)); err != nil {
		return err
	}
	var kind string
	if get(f, "model_type", &kind); m.Kind == CLIP && strings.HasPrefix(kind, "clip") {
		b.act = actQuickGELU // what a config.json that leaves it out means
	}
	get(network, "hidden_act", &b.act)
	b.classes = labels(f)
	get(f, "out_indices", &b.taps)
	timm := f.object("pretrained_cfg")
	if len(timm) == 0 {
		timm = f
	}
	get(timm, "label_names", &b.classes)
	var architecture string // of timm, which has no other normalisation for these
	switch get(f, "architecture", &architecture); {
	case strings.HasPrefix(architecture, "beitv2_"):
		b.norm = &data.ImageNet
	case strings.HasPrefix(architecture, "beit_"):
		b.norm = &data.Inception
	}
	return takeNorm(b, timm, "mean", "std")
}

// labels reads the names of classes, nil where they are only numbered.
func labels(f fields) []string {
	var byNumber map[string]string
	if !get(f, "id2label", &byNumber) {
		return nil
	}
	names, told := make([]string, len(byNumber)), false
	for i := range names {
		name, ok := byNumber[strconv.Itoa(i)]
		if !ok {
			return nil
		}
		names[i], told = name, told || name != "LABEL_"+strconv.Itoa(i)
	}
	if !told {
		return nil
	}
	return names
}

// takeOpenCLIP reads open_clip_config.json.
func takeOpenCLIP(m *Model, b *beside, f fields) error {
	if m.Kind != CLIP {
		return fmt.Errorf("the weights are a %s", m.Kind)
	}
	model := f.object("model_cfg")
	if len(model) == 0 {
		model = f // as the program itself keeps them
	}
	vision := model.object("vision_cfg")
	if err := cmp.Or(vision.same("width", m.ViT.Width), vision.same("layers", m.ViT.Depth), model.same("embed_dim", m.CLIP.OutDim)); err != nil {
		return err
	}
	quick := false
	get(model, "quick_gelu", &quick)
	b.act = actGELU
	if quick {
		b.act = actQuickGELU
	}
	return takeNorm(b, f.object("preprocess_cfg"), "mean", "std")
}

// takeProcessor reads processor_config.json.
func takeProcessor(_ *Model, b *beside, f fields) error {
	return takePreprocessor(nil, b, f.object("image_processor"))
}

// takePreprocessor reads preprocessor_config.json.
func takePreprocessor(_ *Model, b *beside, f fields) error {
	normalize := true
	if get(f, "do_normalize", &normalize) && !normalize {
		b.norm = &data.Unit
		return nil
	}
	return takeNorm(b, f, "image_mean", "image_std")
}

// takeNorm reads mean and standard deviation of the colours.
func takeNorm(b *beside, f fields, meanKey, stdKey string) error {
	var mean, std []float32
	if !get(f, meanKey, &mean) || !get(f, stdKey, &std) {
		return nil
	}
	var n data.Norm
	if len(mean) != len(n.Mean) || len(std) != len(n.Std) {
		return fmt.Errorf("%s and %s have %d and %d numbers, not %d", meanKey, stdKey, len(mean), len(std), len(n.Mean))
	}
	copy(n.Mean[:], mean)
	copy(n.Std[:], std)
	if err := CheckNorm(n); err != nil {
		return err
	}
	b.norm = &n
	return nil
}

// CheckNorm returns an error for a normalisation that divides by zero or is not finite.
func CheckNorm(n data.Norm) error { return CheckBands(&data.Bands{Mean: n.Mean[:], Std: n.Std[:]}) }

// CheckBands is CheckNorm for any number of channels, as many means as deviations.
func CheckBands(b *data.Bands) error {
	for c, mean := range b.Mean {
		if std := b.Std[c]; mean-mean != 0 || std-std != 0 || std <= 0 {
			return fmt.Errorf("mean %v and standard deviation %v normalise no image", b.Mean, b.Std)
		}
	}
	return nil
}

// Activation functions by Hugging Face's names.
const (
	actGELU      = "gelu"
	actQuickGELU = "quick_gelu"
)

// describe makes the model what the files beside it say, and notes what was taken and what was assumed.
func (m *Model) describe() error {
	b := m.lookBeside()
	if err := m.activate(b.act); err != nil {
		return err
	}
	name := m.file.Name()
	m.norm = b.norm
	m.Classes = m.classesInside()
	if outputs := m.Outputs(); b.classes != nil && len(b.classes) == outputs {
		m.Classes = b.classes
	} else if b.classes != nil && outputs > 0 {
		b.strange = append(b.strange, fmt.Sprintf("%s beside it names %d classes, its head has %d outputs: the names are not used", configFile, len(b.classes), outputs))
	}
	for _, text := range b.strange {
		m.note(true, "%s: %s", name, text)
	}
	if len(b.from) > 0 {
		m.note(false, "%s: described by %s beside it", name, strings.Join(b.from, ", "))
	}
	m.describeTaps(b.taps)
	if m.norm == nil && m.normUnsure() {
		m.note(true, "%s does not tell how images were normalised: mean and std of ImageNet are taken, as for BEiT v2 and DINO. BEiT v1 had 0.5: put the model's %s beside it",
			name, preprocessorFile)
	}
	if m.Kind == CLIP && b.act == "" && m.file.Format() != state.TorchScript { // OpenAI's own files are programs
		m.note(true, "%s: names and shapes do not tell the activation: QuickGELU is taken, as in OpenAI's models. Those of OpenCLIP have GELU: put the model's %s or %s beside it",
			name, openCLIPFile, configFile)
	}
	return nil
}

func (m *Model) note(assumed bool, format string, args ...any) {
	m.Notes = append(m.Notes, &Note{fmt.Sprintf(format, args...), assumed})
}

// noteOrigin notes under which key and prefix the tensors stood.
func (m *Model) noteOrigin() {
	var taken, others []string
	meta := m.file.Metadata()
	if key := meta[state.MetaContainer]; key != "" {
		taken = append(taken, fmt.Sprintf("under the key %q", key))
	}
	if m.Prefix != "" {
		taken = append(taken, fmt.Sprintf("with the prefix %q", m.Prefix))
	}
	if names := meta[state.MetaNegated]; names != "" {
		m.note(true, "%s: PyTorch before 2.0 lost the sign of imaginary parts of conjugates, which %s may be: taken as such", m.file.Name(), cutShort(names))
	}
	if len(m.Wrapped) > 0 {
		taken = append(taken, fmt.Sprintf("with names wrapped by %q", m.Wrapped))
	}
	if len(taken) == 0 && len(m.Rivals) == 0 {
		return
	}
	if text := meta[state.MetaOthers]; text != "" {
		others = append(others, text)
	}
	if len(m.Rivals) > 0 {
		others = append(others, fmt.Sprintf("names that begin with %q", m.Rivals))
	}
	text := "weights without a prefix"
	if len(taken) > 0 {
		text = "weights " + strings.Join(taken, ", ")
	}
	if len(others) > 0 {
		text += "; not taken: " + strings.Join(others, ", ") + " (--key chooses)"
	}
	m.note(false, "%s: %s", m.file.Name(), text)
}

// activate sets the activation function that a file beside the model names; "" where none does.
func (m *Model) activate(act string) error {
	if act == "" {
		return nil
	}
	known := act == actGELU || m.Kind == CLIP && act == actQuickGELU
	if !known {
		return fmt.Errorf("the files beside it say that the activation is %q: only %q, and for CLIP %q, can be computed", act, actGELU, actQuickGELU)
	}
	m.CLIP.GELU = m.Kind == CLIP && act == actGELU
	return nil
}

// normUnsure reports whether models with such tensors are known that have other normalisations, unless the file has the name of one that was
// published.
func (m *Model) normUnsure() bool {
	switch m.Kind {
	case Tokenizer, CLIP, DALLE:
		return false
	case MIM:
		return m.MIM.Aggregation.Depth == 0 // aggregation layers are BEiT v2's alone
	}
	name := strings.ToLower(filepath.Base(m.file.Name()))
	return !strings.Contains(name, "beitv2") && !(m.Kind == DINO && strings.Contains(name, strings.ToLower(string(DINO))))
}

// Outputs is the number of outputs of the head, of a segmenter's classes, 0 without one.
func (m *Model) Outputs() int {
	name, axes := "head.weight", 2
	if m.Kind == Segmenter {
		name, axes = "decode_head.conv_seg.weight", 4
	}
	if head := m.tensors[name]; head != nil && len(head.Shape) == axes {
		return head.Shape[0]
	}
	return 0
}

// Keys of the metadata of mmcv's files, which nn/state reads: names and colours of classes as JSON.
const (
	metaClasses = state.MetaBeside + "meta.CLASSES"
	MetaPalette = state.MetaBeside + "meta.PALETTE"
)

// classesInside are the names of classes in the file itself, where mmcv wrote it.
func (m *Model) classesInside() (names []string) {
	if json.Unmarshal([]byte(m.file.Metadata()[metaClasses]), &names) != nil || len(names) != m.Outputs() {
		return nil
	}
	return names
}

// Norm is the normalisation of images for the model: what a file beside it says, or that of its kind.
func (m *Model) Norm() data.Norm {
	if m.norm != nil {
		return *m.norm
	}
	switch m.Kind {
	case CLIP:
		return data.Norm{Mean: beit.CLIPMean, Std: beit.CLIPStd}
	case Tokenizer, DALLE:
		return data.Unit
	}
	return data.ImageNet
}

// NormKnown reports whether a file beside the model tells the normalisation.
func (m *Model) NormKnown() bool { return m.norm != nil }
