package train

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// TokenizerModel is a trained tokenizer.
type TokenizerModel struct {
	Path   string // the file
	Config Config // of the run that trained it
	Model  *beit.VQKD
	Set    *nn.Set
}

// BackboneModel is a pretrained model.
type BackboneModel struct {
	Path   string
	Config Config
	Model  *beit.MIM
	Set    *nn.Set
}

// Prefixes of tensors that are no part of a model: a checkpoint's, and the teacher's statistics.
const (
	prefixTrain   = "train."
	prefixTeacher = "teacher."
)

// metaConfig is the key of a model file's metadata that holds the run's configuration.
const metaConfig = "config"

// IsRun says whether a file of weights is that of a run, which tells the run's configuration. Files of others may have the key too.
func IsRun(f *state.File) bool { return strings.HasPrefix(f.Metadata()[metaConfig], "stage =") }

// metaClasses is the key that holds the names of a classifier's classes, a JSON list in the order of its outputs.
const metaClasses = "classes"

// LoadTokenizer opens a finished tokenizer: a file, or a run folder, whose newest checkpoint serves while the run goes on.
func LoadTokenizer(dev *tensor.Device, path string) (*TokenizerModel, error) {
	f, cfg, err := openModel(path, Tokenizer)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := &TokenizerModel{Path: f.Name(), Config: cfg, Set: nn.NewSet()}
	t.Model = beit.NewVQKD(t.Set.Scope(), cfg.Tokenizer.Model)
	if err := buildFrom(dev, t.Set, f); err != nil {
		return nil, err
	}
	if !t.Model.Ready() {
		t.Set.Release()
		return nil, fmt.Errorf("%s: the codebook was never filled (quantize.embedding.initted is 0)", f.Name())
	}
	return t, nil
}

// Teacher opens the teacher that the tokenizer learned from, with its statistics.
func (t *TokenizerModel) Teacher() (beit.Teacher, error) {
	set := nn.NewSet()
	teacher, standard, err := openTeacher(t.Set.Device(), set.Scope(), t.Config.Tokenizer)
	if err != nil || standard == nil {
		return teacher, err
	}
	set.Build(t.Set.Device(), 0, nn.Inference)
	f, err := state.OpenSafetensors(t.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, err = state.Load(slots(set.Params()), f, func(name string) (string, bool) { return name, strings.HasPrefix(name, prefixTeacher) })
	return teacher, err
}

// LoadBackbone opens a pretrained model: a file, or a run folder, whose newest checkpoint serves while the run goes on.
func LoadBackbone(dev *tensor.Device, path string) (*BackboneModel, error) {
	f, cfg, err := openModel(path, Pretrain)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := &BackboneModel{Path: f.Name(), Config: cfg, Set: nn.NewSet()}
	b.Model = beit.NewMIM(b.Set.Scope(), cfg.Pretrain.Model)
	if err := buildFrom(dev, b.Set, f); err != nil {
		return nil, err
	}
	return b, nil
}

// EncoderModel is a network that gives features.
type EncoderModel struct {
	Path   string
	Config Config
	Model  beit.Encoder
	ViT    beit.ViTConfig
	Norm   data.Norm // that the network's pictures have
	Set    *nn.Set
}

// LoadNetwork opens the network in what any stage made, for features: LoadEncoder's, a tokenizer's encoder, or a classifier without its head.
// The file may also be one that LoadClassifier takes.
func LoadNetwork(dev *tensor.Device, path string) (*EncoderModel, error) {
	switch stage, err := ModelStage(path); {
	case err != nil || stage == Finetune:
		m, err := LoadClassifier(dev, path)
		if err != nil {
			return nil, err
		}
		v, ok := m.Model.(*beit.ViT)
		if !ok {
			m.Set.Release()
			return nil, fmt.Errorf("%s: features of CLIP's tower cannot be taken", m.Path)
		}
		return &EncoderModel{Path: m.Path, Config: m.Config, Model: v, ViT: v.Config, Norm: m.Norm(), Set: m.Set}, nil
	case stage == Tokenizer:
		m, err := LoadTokenizer(dev, path)
		if err != nil {
			return nil, err
		}
		e := m.Model.Encoder
		return &EncoderModel{Path: m.Path, Config: m.Config, Model: e, ViT: e.Config, Norm: data.Inception, Set: m.Set}, nil
	}
	return LoadEncoder(dev, path)
}

// LoadEncoder opens what stage pretrain or stage teacher made: a file, or a run folder, whose newest checkpoint serves while the run
// goes on.
func LoadEncoder(dev *tensor.Device, path string) (*EncoderModel, error) {
	if encoderStage(path) == Pretrain {
		b, err := LoadBackbone(dev, path)
		if err != nil {
			return nil, err
		}
		return &EncoderModel{Path: b.Path, Config: b.Config, Model: b.Model, ViT: b.Model.Config.ViT, Norm: data.ImageNet, Set: b.Set}, nil
	}
	f, cfg, err := openModel(path, Teacher)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e := &EncoderModel{Path: f.Name(), Config: cfg, ViT: cfg.Teacher.Model.ViT, Norm: data.ImageNet, Set: nn.NewSet()}
	e.Model = beit.NewDINO(e.Set.Scope(), e.ViT)
	if err := buildFrom(dev, e.Set, f); err != nil {
		return nil, err
	}
	return e, nil
}

// encoderStage says which stage a file or run folder with a backbone comes from: Teacher, or else Pretrain, whose loader says what is
// wrong, if anything is.
func encoderStage(path string) Stage {
	if stage, err := ModelStage(path); err == nil && stage == Teacher {
		return Teacher
	}
	return Pretrain
}

// ModelStage says which stage made the model at path: a file, or a run folder.
func ModelStage(path string) (Stage, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		for _, stage := range Stages() { // models may have been moved out of their runs
			if _, err := os.Stat(filepath.Join(path, stage.modelName())); err == nil {
				return stage, nil
			}
		}
		cfg, err := ReadConfig(path)
		return cfg.Stage, err
	}
	f, err := state.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	cfg, err := configOf(f)
	return cfg.Stage, err
}

// Pipeline presents pictures to the tokenizer as its run's validation does, in [0, 1].
func (t *TokenizerModel) Pipeline() data.Pipeline {
	return &data.Eval{Whole: t.Config.Data.Eval.Whole, Views: t.Config.views()}
}

// openModel opens the model file of a stage that path names or that the run folder path holds.
func openModel(path string, stage Stage) (*state.File, Config, error) {
	file, err := modelFile(path, stage)
	if err != nil {
		return nil, Config{}, err
	}
	f, err := state.Open(file)
	if err != nil {
		return nil, Config{}, err
	}
	cfg, err := configOf(f)
	if err == nil && cfg.Stage != stage {
		err = fmt.Errorf("%s: comes from stage %s, wanted is a model of stage %s", file, cfg.Stage, stage)
	}
	if err != nil {
		f.Close()
		return nil, Config{}, err
	}
	return f, cfg, nil
}

// modelFile finds the file: path itself, or in a run folder the finished model or the newest checkpoint.
func modelFile(path string, stage Stage) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	finished := filepath.Join(path, stage.modelName())
	if _, err := os.Stat(finished); err == nil {
		return finished, nil
	}
	list, err := checkpoints(path)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", fmt.Errorf("%s: holds neither %s nor a checkpoint", path, stage.modelName())
	}
	return list[len(list)-1], nil
}

// sourceName is what the finished model that a stage may learn from is to it.
func (s Stage) sourceName() string {
	if s == Tokenizer {
		return "teacher"
	}
	return "tokenizer"
}

// fingerprintModel is a digest of the tensors of the model file of a stage that path names or that the run folder path holds.
func fingerprintModel(path string, stage Stage) (string, error) {
	f, _, err := openModel(path, stage)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return fingerprint(f)
}

// fingerprintFile is a digest of the tensors of a file that need not be of a run.
func fingerprintFile(path string) (string, error) {
	f, err := state.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return fingerprint(f)
}

func fingerprint(f *state.File) (string, error) {
	h := sha256.New()
	for _, name := range slices.Sorted(slices.Values(f.Names())) {
		if strings.HasPrefix(name, prefixTrain) {
			continue
		}
		r, err := f.Reader(name)
		if err != nil {
			return "", err
		}
		io.WriteString(h, name)
		if _, err := io.Copy(h, r); err != nil {
			return "", fmt.Errorf("%s: tensor %s: %w", f.Name(), name, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// modelName is what a finished model is called in its run folder.
func (s Stage) modelName() string {
	switch s {
	case Tokenizer:
		return "tokenizer.safetensors"
	case Teacher:
		return "teacher.safetensors"
	case Finetune:
		return "classifier.safetensors"
	}
	return "backbone.safetensors"
}

// configOf reads the configuration inside a model file. Of a published file, which has none, it is that of the nearest recipe with the file's
// network.
func configOf(f *state.File) (Config, error) {
	if IsRun(f) {
		return parseConfig([]byte(f.Metadata()[metaConfig]), f.Name())
	}
	m, err := weights.Of(f)
	if err != nil {
		return Config{}, fmt.Errorf("%w; it holds no configuration of a run either", err)
	}
	return publishedConfig(m)
}

// fitWeights matches parameters with the model of a file, strictly.
func fitWeights(params []*nn.Param, f *state.File) (*weights.Fit, error) {
	m, err := weights.Sort(f)
	if err != nil {
		return nil, err
	}
	return m.Fit(params, false)
}

// buildFrom builds the network of set for inference with the model of a file, strictly. They are compared before memory is taken.
func buildFrom(dev *tensor.Device, set *nn.Set, f *state.File) error {
	fit, err := fitWeights(set.Params(), f)
	if err != nil {
		return err
	}
	return fit.Build(dev, set)
}

// loadSet fills a built set from f, strictly, but for tensors whose names start with one of the prefixes in skip.
func loadSet(set *nn.Set, f *state.File, skip ...string) error {
	return loadParams(set.Params(), f, skip...)
}

// loadParams is loadSet for a part of a set.
func loadParams(params []*nn.Param, f *state.File, skip ...string) error {
	_, err := state.Load(slots(params), f, func(name string) (string, bool) {
		for _, prefix := range skip {
			if strings.HasPrefix(name, prefix) {
				return "", false
			}
		}
		return name, true
	})
	return err
}

// slots are the places of parameters and buffers.
func slots(params []*nn.Param) []state.Slot {
	var list []state.Slot
	for _, p := range params {
		list = append(list, state.Slot{Name: p.Name, Shape: p.Shape, Set: func(v []float32) error {
			p.Value.Upload(v)
			return nil
		}})
	}
	return list
}

// tensors lists parameters and buffers for a file.
func tensors(params []*nn.Param) []state.Named {
	var list []state.Named
	for _, p := range params {
		list = append(list, named(p.Name, p.Value))
	}
	return list
}

// named is a tensor for a file, which leaves its device in pieces when it is written.
func named(name string, t *tensor.Tensor) state.Named {
	const most = 1 << 18
	return state.Named{Name: name, DType: state.F32, Shape: t.Shape(), Pieces: func(yield func([]float32) bool) {
		flat := t.Reshape(-1)
		room := make([]float32, min(most, flat.Size()))
		for lo := 0; lo < flat.Size(); lo += most {
			hi := min(lo+most, flat.Size())
			flat.Slice(0, lo, hi).CopyTo(room[:hi-lo])
			if !yield(room[:hi-lo]) {
				return
			}
		}
	}}
}

// saveModel writes a finished model.
func (r *run) saveModel() error {
	return r.writeModel(r.modelPath())
}

// writeModel writes the model as it is now.
func (r *run) writeModel(path string) error {
	list := tensors(r.task.finished())
	return r.write(path, func(w io.Writer) error { return state.WriteSafetensors(w, r.meta(), list) })
}

// meta is what files say about the model besides its tensors.
func (r *run) meta() map[string]string {
	m := map[string]string{metaConfig: r.cfg.TOML()}
	maps.Copy(m, ClassNamesFor(r.classes))
	return m
}

func (r *run) modelPath() string { return filepath.Join(r.dir, r.cfg.Stage.modelName()) }

// initFrom starts the model with the weights of another one.
func (r *run) initFrom() error {
	if r.cfg.InitFrom == "" {
		return nil
	}
	if t, ok := r.task.(*finetuneTask); ok {
		return t.initFrom(r.cfg.InitFrom)
	}
	f, _, err := openModel(r.cfg.InitFrom, r.cfg.Stage)
	if err != nil {
		return fmt.Errorf("init_from: %w", err)
	}
	defer f.Close()
	if !IsRun(f) {
		fit, err := fitWeights(r.task.finished(), f)
		if err == nil {
			err = fit.Load()
		}
		if err != nil {
			return fmt.Errorf("init_from: %w", err)
		}
		return nil
	}
	skip := []string{prefixTrain}
	if r.task.set().Lookup(prefixTeacher+"mean") == nil {
		skip = append(skip, prefixTeacher)
	}
	if r.cfg.Stage == Teacher {
		skip = append(skip, beit.DistillStudent, beit.DistillHeads, beit.DistillCenter)
	}
	if err := loadParams(r.task.finished(), f, skip...); err != nil {
		return fmt.Errorf("init_from: %w", err)
	}
	return nil
}
