package oracletest_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// prefixDALLE begins the names of the encoder's tensors. The decoder, which draws codes, is no network here.
const prefixDALLE = "encoder/"

// checkDALLE checks the encoder of DALL-E with the weights of the file, and with those of each file of weights beside it.
func checkDALLE(t *testing.T, f *oracletest.File, dev *tensor.Device) {
	var config struct {
		Encoder struct {
			Hidden int `json:"n_hid"`
			Blocks int `json:"n_blk_per_group"`
			Codes  int `json:"vocab_size"`
		}
	}
	f.Decode(t, &config)
	set := nn.NewSet()
	m := dalleCase{File: f, net: beit.NewDALLE(set.Scope(), beit.DALLEConfig(config.Encoder))}
	set.Build(dev, 0, nn.Inference)
	defer set.Release()
	f.Load(t, set, prefixDALLE+"param/")
	m.maps(t, dev)
	m.codes(t, dev)
	f.Complete(t, prefixDALLE)
	files := oracletest.OpenMethods(t)
	for _, name := range files.Names() {
		if base, ok := strings.CutPrefix(name, "dalle/encoder_"); ok {
			t.Run(base, func(t *testing.T) { m.published(t, files.Path(t, name), dev) })
		}
	}
}

// dalleCase is the encoder of the file.
type dalleCase struct {
	*oracletest.File
	net *beit.DALLE
}

// published checks the codes of the encoder in a file of weights.
func (m dalleCase) published(t *testing.T, path string, dev *tensor.Device) {
	w, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.Kind != weights.DALLE || w.DALLE != m.net.Config || len(w.LeftOut) > 0 {
		t.Errorf("a %s of %+v, left out %q; want %+v", w.Kind, w.DALLE, w.LeftOut, m.net.Config)
	}
	network, set, err := w.Build(dev)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Release()
	m.net = network.(*beit.DALLE)
	m.codes(t, dev)
}

// maps checks the pixels that the network sees, all maps on the way, and logits.
func (m dalleCase) maps(t *testing.T, dev *tensor.Device) {
	t.Helper()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	c := nn.Context{Tape: tape}
	pixels := tape.Own(m.Tensor(t, dev, prefixDALLE+"in/pixels"))
	tape.NoGrad(func() {
		images := m.net.MapPixels(pixels)
		want := m.Values(t, prefixDALLE+"in/mapped")
		for i, v := range images.Value().Float32s() {
			if !(math.Abs(float64(v-want[i])) <= 1e-7) {
				t.Fatalf("pixel %d is mapped to %g, want %g", i, v, want[i])
			}
		}
		x := m.net.Input.Forward(c, images)
		for i, g := range m.net.Groups {
			x = g.Forward(c, x)
			m.EqualTensor(t, fmt.Sprintf("%sout/group_%d", prefixDALLE, i+1), x.Value())
		}
		m.EqualTensor(t, prefixDALLE+"out/logits", m.net.Logits(c, images).Value())
	})
}

// codes checks the codes.
func (m dalleCase) codes(t *testing.T, dev *tensor.Device) {
	t.Helper()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	codes := m.net.Codes(nn.Context{Tape: tape}, tape.Own(m.Tensor(t, dev, prefixDALLE+"in/pixels")))
	defer codes.Release()
	var ids []int
	for _, code := range codes.Ints() {
		ids = append(ids, int(code))
	}
	m.EqualInts(t, prefixDALLE+"out/ids", ids)
}
