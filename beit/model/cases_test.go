package model_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/casestest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn/state"
)

// Weights as people have them give the right tensors, or a message that says what they are; what files beside them say is believed.
func TestCasesWeights(t *testing.T) {
	checked := 0
	for _, c := range casestest.All(t) {
		e := c.Expected
		var check func(t *testing.T, c casestest.Case)
		switch convert := strings.HasPrefix(c.Command, "beit convert"); {
		case e.Digest != "":
			check = checkDigest
		case e.HiddenAct != "":
			check = checkActivation
		case e.Norm != "":
			check = checkDescribed
		case e.Message != "" && convert:
			check = checkMessage
		default:
			continue
		}
		checked++
		t.Run(c.Name, func(t *testing.T) { check(t, c) })
	}
	if checked == 0 && os.Getenv("BEIT_CASES") == "" {
		t.Error("there are no cases of weights")
	}
}

// checkDigest converts to the authors' names and compares all tensors.
func checkDigest(t *testing.T, c casestest.Case) {
	out := filepath.Join(t.TempDir(), "x.safetensors")
	m, err := model.OpenTensors(c.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, _, err := m.Weights.Convert(t.Context(), out, weights.Official, nil); err != nil {
		t.Fatal(err)
	}
	if got := digestOf(t, out); got != c.Expected.Digest {
		t.Errorf("digest %s, want %s", got, c.Expected.Digest)
	}
}

// digestOf is the SHA-256 of what Python prints for the sorted list of (name, type, shape, SHA-256) of a file's tensors.
func digestOf(t *testing.T, path string) string {
	f, err := state.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tuples []string
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		b, err := f.Bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Shape), " ", ", "), "[]")
		if len(e.Shape) == 1 {
			shape += ","
		}
		tuples = append(tuples, fmt.Sprintf("('%s', '%s', (%s), '%x')", name, e.DType, shape, sha256.Sum256(b)))
	}
	sum := sha256.Sum256([]byte("[" + strings.Join(tuples, ", ") + "]"))
	return hex.EncodeToString(sum[:])
}

// checkMessage wants an error of one line that has most of the words that tell what the file is.
func checkMessage(t *testing.T, c casestest.Case) {
	m, err := model.OpenTensors(c.Path())
	if err == nil {
		m.Close()
		t.Fatal("was opened")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q", err)
	}
	message := strings.ToLower(err.Error())
	all, said := 0, 0
	for word := range strings.FieldsSeq(strings.ToLower(strings.NewReplacer(":", " ", ",", " ", ".", " ", ";", " ").Replace(c.Expected.Message))) {
		if !slices.Contains([]string{"says", "that", "it", "is", "a", "an", "the", "and", "of", "not"}, word) {
			all++
			if strings.Contains(message, word) {
				said++
			}
		}
	}
	if 2*said < all || all == 0 {
		t.Errorf("%q has %d of the %d words of %q", err, said, all, c.Expected.Message)
	}
}

// assumed are the warnings of a model that say what was assumed.
func assumed(m *model.Model) (text string) {
	for _, err := range m.Warnings() {
		var note *weights.Note
		if errors.As(err, &note) && note.Assumed {
			text += note.Text + "\n"
		}
	}
	return text
}

// checkActivation looks into the config.json that Hugging Face would get.
func checkActivation(t *testing.T, c casestest.Case) {
	m, err := model.Open(c.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	text, err := m.Weights.HFConfig(m.Classes)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Act string `json:"hidden_act"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	want, _, warned := strings.Cut(c.Expected.HiddenAct, ",")
	if config.Act != want && !(warned && strings.Contains(assumed(m), "activation")) {
		t.Errorf("activation %s, want %s; warnings %q", config.Act, want, assumed(m))
	}
}

// checkDescribed looks for normalisation and names of classes.
func checkDescribed(t *testing.T, c casestest.Case) {
	m, err := model.Open(c.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	mean, err := json.Marshal(m.Input.Norm.Mean)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Contains(assumed(m), "does not tell")
	if right := strings.Contains(c.Expected.Norm, strings.ReplaceAll(string(mean), ",", ", ")); !right && !told {
		t.Errorf("mean %s, std %v, want %s; warnings %q", mean, m.Input.Norm.Std, c.Expected.Norm, assumed(m))
	}
	if diff := cmp.Diff(c.Expected.ClassNames, m.Classes); c.Expected.ClassNames != nil && diff != "" {
		t.Error(diff)
	}
}
