package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
)

// Model is an opened model file. Close it after the last read.
type Model = method.Model

// Option changes how Open works.
type Option func(*options)

// options are what the options say.
type options struct {
	methods method.List
	file    state.Options
	get     Getter
}

// With makes methods known that this package does not list.
func With(list ...*method.Method) Option {
	return func(o *options) { o.methods = append(o.methods, list...) }
}

// Key chooses one of several models in a file, by the key under which it stands; see state.Options.
func Key(key string) Option {
	return func(o *options) { o.file.Key = key }
}

// Fetching lets Open fetch published files that are not in the cache.
func Fetching(get Getter) Option {
	return func(o *options) { o.get = get }
}

// Open opens a model: a file, or a run folder, whose newest intact checkpoint serves while the run goes on. The file may also be a published
// one that package weights knows, an index of several, or a folder as Hugging Face's save_pretrained writes it. Where path leads nowhere, it may be
// the name of a published file: see Find. Model.Warnings says what of it was taken and what was assumed.
func Open(path string, options ...Option) (*Model, error) {
	return open(path, all(options), of)
}

// all are the options together, with the methods of this package.
func all(list []Option) options {
	o := options{methods: Methods()}
	for _, option := range list {
		option(&o)
	}
	return o
}

// open opens the file that path stands for, and reads what it holds.
func open(path string, o options, read func(*state.File, method.List) (*Model, error)) (*Model, error) {
	path, err := Find(path, o.get)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var f *state.File
	var damaged []error
	if info.IsDir() {
		f, damaged, err = inFolder(path, o)
	} else {
		f, err = o.file.OpenVerified(path)
	}
	if err != nil {
		return nil, err
	}
	m, err := read(f, o.methods)
	if err != nil {
		f.Close()
		return nil, err
	}
	m.Damaged = damaged
	return m, nil
}

// inFolder opens the model of a run folder, or of a folder of weights as Hugging Face's save_pretrained writes it.
func inFolder(path string, o options) (f *state.File, damaged []error, err error) {
	f, damaged, err = run.OpenModel(path, fileNames(path, o.methods)...)
	if err == nil && o.file.Key != "" {
		f.Close()
		return nil, nil, fmt.Errorf("%s: a run folder has one model, and no keys", path)
	}
	if err == nil || run.Exists(path) {
		return f, damaged, err
	}
	f, other := o.file.OpenVerified(path)
	if errors.Is(other, state.ErrNoWeights) {
		if errors.Is(err, run.ErrNoModel) {
			err = fmt.Errorf("%s is not a run folder", path)
		}
		return nil, nil, fmt.Errorf("%w; %w", err, other)
	}
	return f, nil, other
}

// Opener is Open with options, for a method's upstream models.
func Opener(options ...Option) method.Opener {
	return func(path, key string) (*Model, error) {
		return Open(path, append(options[:len(options):len(options)], Key(key))...)
	}
}

// fileNames are the names that a finished model in the folder at path may have: its run's, or any method's where the model was moved out of its
// run.
func fileNames(path string, list method.List) (names []string) {
	if run.Exists(path) {
		if text, _, err := run.ReadConfig(path); err == nil {
			if m, _, err := list.Read(text, path); err == nil {
				return []string{m.ModelFile}
			}
		}
	}
	for _, m := range list {
		names = append(names, m.ModelFile)
	}
	return names
}

// ReadConfig reads the configuration of the run in a folder.
func ReadConfig(dir string, options ...Option) (*method.Method, *config.Config, error) {
	text, _, err := run.ReadConfig(dir)
	if err != nil {
		return nil, nil, err
	}
	return all(options).methods.Read(text, dir)
}

// IsRun says whether a file is that of a run. Files of others may have the key too.
func IsRun(f *state.File) bool {
	text := f.Metadata()[method.MetaConfig]
	return strings.HasPrefix(text, "method =") || strings.HasPrefix(text, "stage =")
}

// Of tells which model an open file holds, of the methods that this package lists. The file must stay open.
func Of(f *state.File) (*Model, error) { return of(f, Methods()) }

// of is Of for the methods of a list.
func of(f *state.File, list method.List) (*Model, error) {
	if IsRun(f) {
		return ofRun(f, list)
	}
	w, err := weights.FromFile(f)
	if err != nil {
		return nil, fmt.Errorf("%w; it holds no configuration of a run either", err)
	}
	m := &Model{Path: f.Name(), Weights: w, Card: cardOf(w)}
	if m.Classes, err = classNames(w, false); err != nil {
		return nil, err
	}
	if m.Classes == nil {
		m.Classes = w.Classes
	}
	m.Palette = palette(w, len(m.Classes))
	if recognize(m, list) {
		return m, nil
	}
	norm := m.Input.Norm
	for _, known := range list {
		if known.Describe == nil {
			continue
		}
		if c, ok := known.Describe(m.Card); ok {
			m.Method, m.Config = known, c
			m.Input = known.Card(c).Input
			if w.NormKnown() {
				m.Input.Norm = norm
			}
			c.Data.ExifTranspose = true // what the weights learned from is not known: images are shown upright
			break
		}
	}
	return m, nil
}

// recognize asks the methods whether a model that no run made is theirs, and fills it in where one says so.
func recognize(m *Model, list method.List) bool {
	for _, known := range list {
		if known.Recognize == nil {
			continue
		}
		if found := known.Recognize(m.Weights); found != nil {
			if m.Weights.NormKnown() {
				found.Card.Input.Norm = m.Weights.Norm()
			}
			found.Config.Data.ExifTranspose = true // what the weights learned from is not known: images are shown upright
			m.Method, m.Config, m.Card, m.Weights = known, found.Config, found.Card, found.Weights
			return true
		}
	}
	return false
}

// ofRun tells which model a run's file holds: by its card, or, in files of older runs, by the configuration.
func ofRun(f *state.File, list method.List) (*Model, error) {
	known, c, err := list.Read(f.Metadata()[method.MetaConfig], f.Name())
	if err != nil {
		return nil, err
	}
	m := &Model{Path: f.Name(), Method: known, Config: c, Run: true, Card: known.Card(c)}
	if dir := run.FolderOf(f.Name()); run.Exists(dir) { // of a file by itself nothing is looked for
		m.Moved = c.Locate(dir)
	}
	if err := checkCard(f, m); err != nil {
		return nil, fmt.Errorf("%s: metadata %q: %w", f.Name(), method.MetaModel, err)
	}
	if weights.Known(m.Kind) {
		m.Weights, err = weights.FromFileWithoutConfig(f)
	} else {
		m.Weights, err = weights.FromFileAs(f, m.Kind, m.Beside...)
	}
	if err != nil {
		return nil, err
	}
	if m.Weights.Kind != m.Kind {
		return nil, fmt.Errorf("%s: says that it holds a %s, and its tensors are those of a %s", f.Name(), m.Kind, m.Weights.Kind)
	}
	switch n := m.Network.(type) { // what names and shapes do not tell, such as the number of heads
	case *beit.VQKDConfig:
		m.Weights.VQKD = *n
	case *beit.MIMConfig:
		m.Weights.MIM = *n
	case *beit.SegmenterConfig:
		m.Weights.Segmenter = *n
	}
	if v, ok := m.ViT(); ok {
		m.Weights.ViT = v
	}
	m.Classes, err = classNames(m.Weights, true)
	m.Palette = palette(m.Weights, len(m.Classes))
	return m, err
}

// checkCard compares the card in a run's file with what the run's configuration says of the model. The configuration was checked, so a card that
// agrees is as safe. Files of older runs have none.
func checkCard(f *state.File, m *Model) error {
	text := f.Metadata()[method.MetaModel]
	if text == "" {
		return nil
	}
	card, err := method.ParseCard(text, func(_ string, kind weights.Kind) (any, error) { return networkOf(m.Method, kind) })
	if err == nil && !reflect.DeepEqual(card, m.Card) {
		err = errors.New("describes another model than the configuration of the run")
	}
	return err
}

// networkOf returns where the configuration of a network goes.
func networkOf(m *method.Method, kind weights.Kind) (any, error) {
	if m.Network != nil {
		if n := m.Network(kind); n != nil {
			return n, nil
		}
	}
	switch kind {
	case weights.Tokenizer:
		return &beit.VQKDConfig{}, nil
	case weights.MIM:
		return &beit.MIMConfig{}, nil
	case weights.Classifier, weights.DINO:
		return &beit.ViTConfig{}, nil
	case weights.Segmenter:
		return &beit.SegmenterConfig{}, nil
	}
	return nil, fmt.Errorf("method %s has no network of kind %q", m.Name, kind)
}

// dalleSize is the side of the images of DALL-E's encoder where BEiT v1 has its codes. The network takes any multiple of beit.DALLEPatch.
const dalleSize = 112

// cardOf describes a published file.
func cardOf(w *weights.Model) method.Card {
	c := method.Card{Kind: w.Kind, Input: method.Input{Size: w.ViT.ImageSize, Norm: w.Norm(), Whole: w.Kind == weights.CLIP}}
	if w.ViT.PatchSize > 0 {
		c.Input = method.InputOf(w.ViT, w.Norm(), nil, c.Input.Whole)
	}
	if n := w.ViT.Channels; n > 0 && n != 3 {
		c.Input.Bands = data.BandsOf(w.Norm(), n)
	}
	vit, mim, vqkd, clip, segmenter := w.ViT, w.MIM, w.VQKD, w.CLIP, w.Segmenter
	switch w.Kind {
	case weights.Segmenter:
		if c.Network = &vit; segmenter.Head != "" {
			c.Network = &segmenter
		}
	case weights.Tokenizer:
		c.Network = &vqkd
	case weights.MIM:
		c.Network = &mim
	case weights.CLIP:
		c.Network = &clip
	case weights.DALLE:
		dalle := w.DALLE
		c.Network = &dalle
		c.Input.Size, c.Input.Grid = dalleSize, dalleSize/beit.DALLEPatch
	default:
		c.Network = &vit
	}
	return c
}

// classNames reads the names of a classifier's classes, as many as its head has outputs; nil where the file does not tell. A stranger's file may
// mean something else by the key, and then does not tell.
func classNames(m *weights.Model, ofRun bool) (names []string, err error) {
	text := m.File().Metadata()[method.MetaClasses]
	if text == "" {
		return nil, nil
	}
	outputs := m.Outputs()
	if err = json.Unmarshal([]byte(text), &names); err != nil {
		err = fmt.Errorf("%s: names of classes: %w", m.File().Name(), err)
	} else if names != nil && len(names) != outputs {
		err = fmt.Errorf("%s: names %d classes, and its head has %d outputs", m.File().Name(), len(names), outputs)
	}
	if err != nil && ofRun {
		return nil, err
	} else if err != nil {
		return nil, nil
	}
	return names, nil
}

// palette reads the colours of as many classes; nil where the file does not tell.
func palette(m *weights.Model, classes int) (list [][3]uint8) {
	text := m.File().Metadata()[method.MetaPalette]
	if text == "" {
		text = m.File().Metadata()[weights.MetaPalette]
	}
	if classes == 0 || json.Unmarshal([]byte(text), &list) != nil || len(list) != classes {
		return nil
	}
	return list
}

// OpenTensors is Open for those who need names and values of the tensors alone. Of a file that no run made, Config, Method and Network stay empty.
// It is no error where the shapes and the files beside it do not tell the network: one of the Warnings says why.
func OpenTensors(path string, options ...Option) (*Model, error) {
	return open(path, all(options), tensorsOf)
}

func tensorsOf(f *state.File, list method.List) (m *Model, err error) {
	if IsRun(f) {
		return ofRun(f, list)
	}
	m = &Model{Path: f.Name()}
	var untold error
	if m.Weights, untold = weights.FromFile(f); untold != nil {
		if m.Weights, err = weights.FromFileWithoutConfig(f); err != nil {
			return nil, err
		}
		m.Weights.Notes = append(m.Weights.Notes, &weights.Note{Text: fmt.Sprintf("%v: nothing but names and values of its tensors is known", untold)})
	}
	if untold == nil && recognize(m, list) {
		m.Config, m.Network = nil, nil
	} else {
		m.Kind = m.Weights.Kind
	}
	if m.Classes, err = classNames(m.Weights, false); m.Classes == nil {
		m.Classes = m.Weights.Classes
	}
	return m, err
}
