package model_test

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/tensor"
)

// DALL-E's encoder opens from its pickle without a warning, and runs. What needs a vision transformer refuses it in a line.
func TestDALLEEncoder(t *testing.T) {
	m, err := model.Open(traintest.DALLE(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if n, ok := m.Network.(*beit.DALLEConfig); !ok || *n != (beit.DALLEConfig{Hidden: 4, Blocks: 2, Codes: 23}) || m.Kind != weights.DALLE || len(m.Warnings()) > 0 {
		t.Errorf("a %s of %+v, warnings %v", m.Kind, m.Network, m.Warnings())
	}
	if m.Input.Size != 112 || m.Input.Grid != 14 || m.Input.Norm != data.Unit {
		t.Errorf("input %+v", m.Input)
	}
	network, set, err := m.Build(tensor.CPU())
	if err != nil {
		t.Fatal(err)
	}
	defer set.Release()
	if h, err := model.Verify(tensor.CPU(), network, m.Input); err != nil || len(h.Findings) > 0 || !strings.Contains(h.Output, "23 codes") {
		t.Errorf("%+v, error %v", h, err)
	}
	if _, err := model.OpenEncoder(tensor.CPU(), m); err == nil || !strings.Contains(err.Error(), "no features can be taken") {
		t.Errorf("for features: error %v", err)
	}
	for name, want := range map[string]string{"finetune": "which no classifier starts from", "segment": "which no segmenter starts from"} {
		_, err := configure(name, "", "", "init_from="+traintest.DALLE(t))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, want)
		}
	}
}
