package method

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Keys of a model file's metadata.
const (
	MetaConfig  = "config"  // the configuration of the run that made the file, as TOML
	MetaModel   = "model"   // a Card as JSON
	MetaClasses = "classes" // the names of the classes as JSON, in the order of the outputs
	MetaPalette = "palette" // the colours of a segmenter's classes as JSON: [[red, green, blue], …]
)

// PrefixTrain begins the names of a checkpoint's tensors that are no part of a model.
const PrefixTrain = "train."

// Card describes a network: what a model file says of itself, whoever opens it.
type Card struct {
	Method  string       // that made it; empty: no run of this project did
	Kind    weights.Kind // which network it is
	Network any          // its configuration: a pointer to a beit.VQKDConfig, MIMConfig, ViTConfig or CLIPConfig, by the kind, or to the method's own
	Input   Input        // how it is shown images
	Beside  []string     // prefixes of names of tensors that a finished model or checkpoint may have beside the network
}

// Input says how a network is shown images.
type Input struct {
	Size  int         `json:"size"`            // side S of the square, or height
	Width int         `json:"width,omitempty"` // 0 for a square
	Whole bool        `json:"whole"`           // the largest central part of the same aspect; else 7/8 of its sides
	Norm  data.Norm   `json:"norm"`            // of red, green and blue, 8 bits each
	Bands *data.Bands `json:"bands,omitempty"` // in place of Norm: of other channels, or of 16 bits; nil for RGB
	Grid  int         `json:"grid"`            // rows of patches, and columns of a square
	Cols  int         `json:"cols,omitempty"`  // columns of patches; 0 for a square
}

// InputOf is the input of a vision transformer. bands may be nil.
func InputOf(v beit.ViTConfig, norm data.Norm, bands *data.Bands, whole bool) Input {
	rows, cols := v.GridSize()
	i := Input{Size: v.ImageSize, Whole: whole, Norm: norm, Bands: bands, Grid: rows}
	if !v.Square() {
		i.Width, i.Cols = v.ImageWidth, cols
	}
	return i
}

// Sides returns the height and width of an image.
func (i Input) Sides() (height, width int) { return i.Size, cmp.Or(i.Width, i.Size) }

// GridSize returns the rows and columns of patches.
func (i Input) GridSize() (rows, cols int) { return i.Grid, cmp.Or(i.Cols, i.Grid) }

// View is the view of an image that the network gets.
func (i Input) View() data.View {
	return data.View{Name: FieldImage, Size: i.Size, Width: i.Width, Filter: data.Bicubic, Norm: i.Norm, Bands: i.Bands}
}

// WithTarget is View, and the view of what makes targets of the same part of the image: pixels in [0, 1].
func (i Input) WithTarget() []data.View {
	student := i.View()
	target := student
	target.Name, target.Norm = FieldTarget, data.Unit
	return []data.View{student, target}
}

// Pipeline shows the network images as validation does.
func (i Input) Pipeline() *data.Eval {
	return &data.Eval{Whole: i.Whole, Views: []data.View{i.View()}}
}

// cardJSON is the form of a Card in a file.
type cardJSON struct {
	Method  string          `json:"method"`
	Kind    weights.Kind    `json:"kind"`
	Network json.RawMessage `json:"network"`
	Input   Input           `json:"input"`
	Beside  []string        `json:"beside,omitempty"`
}

// JSON is the form of the card in a file's metadata.
func (c Card) JSON() string {
	network, err := config.MarshalNetwork(c.Network)
	if err == nil {
		var text []byte
		if text, err = json.Marshal(cardJSON{c.Method, c.Kind, network, c.Input, c.Beside}); err == nil {
			return string(text)
		}
	}
	panic(fmt.Sprintf("method: card of %s: %v", c.Method, err)) // numbers, texts and flags always have a JSON form
}

// ParseCard reads the card in a file's metadata. network returns where the configuration of a kind's network goes.
func ParseCard(text string, network func(method string, kind weights.Kind) (any, error)) (c Card, err error) {
	var j cardJSON
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return c, err
	}
	c = Card{Method: j.Method, Kind: j.Kind, Input: j.Input, Beside: j.Beside}
	if c.Network, err = network(j.Method, j.Kind); err != nil {
		return c, err
	}
	if err := config.UnmarshalNetwork(j.Network, c.Network); err != nil {
		return c, fmt.Errorf("network: %w", err)
	}
	return c, nil
}

// ViT is the vision transformer in the network: the network itself, or a tokenizer's encoder. False where it has none.
func (c Card) ViT() (v beit.ViTConfig, ok bool) {
	switch n := c.Network.(type) {
	case *beit.ViTConfig:
		return *n, true
	case *beit.MIMConfig:
		return n.ViT, true
	case *beit.VQKDConfig:
		return n.Encoder, true
	case interface{ ViTConfig() beit.ViTConfig }: // of a method's own network
		return n.ViTConfig(), true
	}
	return v, false
}

// Model is an opened model file: a finished model, a checkpoint, or somebody else's file. Close it after the last read.
type Model struct {
	Card
	Path    string         // of the file
	Method  *Method        // that made it, or whose models it is like; nil: none
	Config  *config.Config // of its run, or the nearest there is for a file without one; nil with Method
	Run     bool           // a run of this project made it
	Classes []string       // names of the classes of a classifier or segmenter; nil where the file does not tell
	Palette [][3]uint8     // colours of a segmenter's classes; nil where the file does not tell
	Weights *weights.Model // the tensors
	Damaged []error        // newer checkpoints that were left out
	Moved   []config.Moved // paths of Config that were found elsewhere than the run had them
}

// Warnings says what of the model was left out, taken or assumed when it was opened: damaged checkpoints, and each *weights.Note.
func (m *Model) Warnings() []error {
	list := slices.Clone(m.Damaged)
	for _, note := range m.Weights.Notes {
		list = append(list, note)
	}
	return list
}

// Close closes the file.
func (m *Model) Close() error { return m.Weights.Close() }

// File is the open file.
func (m *Model) File() *state.File { return m.Weights.File() }

// own says whether the network is declared by the method.
func (m *Model) own() bool {
	return m.Method != nil && m.Method.Declare != nil && (m.Run || m.Method.Network(m.Kind) != nil)
}

// Declare declares the network in scope s, unbuilt.
func (m *Model) Declare(s nn.Scope) any {
	if m.own() {
		return m.Method.Declare(s, m.Card)
	}
	return m.Weights.Declare(s)
}

// Encoder are the weights that other methods begin with, and that are exported: without what only this model's method needs.
func (m *Model) Encoder() *weights.Model {
	if m.Method != nil && m.Method.Encoder != nil {
		return m.Method.Encoder(m)
	}
	return m.Weights
}

// Parameters is the number of trainable numbers of the network.
func (m *Model) Parameters() int {
	set := nn.NewSet()
	m.Declare(set.Scope())
	return set.Count()
}

// Fit compares parameters with the model's, strictly, and returns what loads them.
func (m *Model) Fit(params []*nn.Param) (*weights.Fit, error) { return m.Weights.Fit(params, nil) }

// Build declares the network, compares it with the file, and only then takes memory and loads it. The caller releases the set.
func (m *Model) Build(dev *tensor.Device) (network any, set *nn.Set, err error) {
	if !m.Run && !m.own() {
		return m.Weights.Build(dev)
	}
	set = nn.NewSet()
	network = m.Declare(set.Scope())
	fit, err := m.Fit(set.Params())
	if err != nil {
		return nil, nil, err
	}
	if err := fit.Build(dev, set); err != nil {
		return nil, nil, err
	}
	return network, set, nil
}

// Digest tells the weights apart: a digest of names and values of all tensors that are no checkpoint's own.
func (m *Model) Digest() (string, error) {
	h := sha256.New()
	f := m.File()
	for _, name := range slices.Sorted(slices.Values(f.Names())) {
		if e, _ := f.Entry(name); strings.HasPrefix(name, PrefixTrain) || !e.Readable() {
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

// ClassesMeta is the metadata that gives a file the names of classes, and their colours; nil without names.
func ClassesMeta(names []string, palette [][3]uint8) map[string]string {
	if names == nil {
		return nil
	}
	form := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("method: classes: %v", err)) // strings and numbers always have a JSON form
		}
		return string(text)
	}
	meta := map[string]string{MetaClasses: form(names)}
	if palette != nil {
		meta[MetaPalette] = form(palette)
	}
	return meta
}
