package pretrain_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// tinyPixels configures a run of BEiT v1 with codes of pixels.
func tinyPixels(t *testing.T, set ...string) *config.Config {
	t.Helper()
	return runtest.Tiny(t, pretrain.Method, append([]string{
		"pretrain.target=pixel-kmeans", "pretrain.model.vocab=32", "pretrain.model.aggregation.depth=0", "pretrain.visible=0",
	}, set...)...)
}

// A run that is interrupted anywhere and resumed has the bytes of one that was not: its centroids are found once, and saved. The finished model is a
// backbone like any other.
func TestPixelRun(t *testing.T) {
	heard := &traintest.Reporter{}
	res := runtest.Train(t, pretrain.Method, tinyPixels(t), train.Env{Reporter: heard})
	for _, key := range []string{"loss_mim", "acc_mim", "unigram_entropy", "acc_nearest_patch", "codes_used", "perplexity"} {
		if v, ok := res.Final.Values[key]; !ok || v < 0 {
			t.Errorf("validation lacks %s: %+v", key, res.Final)
		}
	}
	if all := strings.Join(heard.Notices, "\n"); !strings.Contains(all, "k-means made 32 codes from 1024 tokens") {
		t.Errorf("notices %q", all)
	}
	m := runtest.Open(t, res.Model)
	if _, _, err := model.Predicts(m); err == nil || !strings.Contains(err.Error(), "k-means over the pixels") {
		t.Errorf("for predictions of a tokenizer's codes: error %v", err)
	}
	if _, has := m.File().Entry("target.centroids"); has || len(m.Warnings()) > 0 {
		t.Errorf("the model has centroids: %v, warnings %q", has, m.Warnings())
	}
	sameWhenStopped(t, res.Dir, []int{1, 3, 7}, func() *config.Config { return tinyPixels(t) })
}

// Images of one colour each have a code for each colour, the same for all their patches.
func TestPixelsOfOneColour(t *testing.T) {
	images := colours{n: 40}
	e := traintest.Env(t, pretrain.Method, tinyPixels(t, "data.augment=none"), &data.Source{Train: images, Val: images})
	heard := &traintest.Reporter{}
	e.Reporter = heard
	task := traintest.Task(t, e)
	if err := task.(method.Preparer).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(heard.Notices, "\n"); !strings.Contains(all, "k-means made 32 codes from 640 tokens, 27 of them of no token") {
		t.Errorf("notices %q", all)
	}
	centroids := task.Set().Lookup("target.centroids").Value
	code := map[int32]int{} // its colour
	for image := range images.distinct() {
		colour := images.colour(image)
		pixels := make([]float32, 48)
		for i := range pixels {
			pixels[i] = 2*float32(colour[i/16])/255 - 1
		}
		z := tensor.FromSlice(tensor.CPU(), pixels, 1, 48)
		codes := tensor.NearestCode(z, centroids)
		k := codes.Ints()[0]
		if other, ok := code[k]; ok {
			t.Errorf("colours %d and %d have code %d", other, image, k)
		}
		code[k] = image
		for i, v := range centroids.Float32s()[48*k : 48*k+48] {
			if d := v - pixels[i]; d > 1e-5 || d < -1e-5 {
				t.Fatalf("colour %d: centroid %v, want %v", image, v, pixels[i])
			}
		}
		codes.Release()
		z.Release()
	}
	if _, err := task.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(task.Finished(), func(p *nn.Param) bool { return p.Name == "target.centroids" }) {
		t.Error("the finished model has the centroids")
	}
}

// colours are images of one colour each, of five.
type colours struct{ n int }

func (c colours) distinct() int { return 5 }
func (c colours) colour(i int) [3]uint8 {
	k := i % c.distinct()
	return [3]uint8{uint8(50 * k), uint8(255 - 60*k), uint8(40 * k)}
}
func (c colours) Len() int          { return c.n }
func (c colours) Name(i int) string { return fmt.Sprint(i) }
func (c colours) Label(int) int     { return -1 }
func (c colours) Classes() []string { return nil }
func (c colours) Sample(i int) (data.Sample, error) {
	m, colour := data.NewRGB(16, 16), c.colour(i)
	for at := range m.Pix {
		m.Pix[at] = colour[at%3]
	}
	return data.Sample{Image: m, Label: -1}, nil
}

// What does not go together is refused in a line that says what to do.
func TestPixelErrors(t *testing.T) {
	for set, want := range map[string]string{
		"pretrain.shuffle_codes=true":  `pretrain.shuffle_codes: must be false with pretrain.target = "pixel-kmeans"`,
		"pretrain.from_tokenizer=true": `pretrain.from_tokenizer: must be false with pretrain.target = "pixel-kmeans"`,
		"pretrain.tokenizer=x":         `pretrain.tokenizer = "x": must be empty with pretrain.target = "pixel-kmeans"`,
		"pretrain.feature_loss=all":    `pretrain.feature_loss = "all": pretrain.target = "pixel-kmeans" has no features`,
	} {
		bad := tinyPixels(t)
		if err := bad.Set(set); err != nil {
			t.Fatal(err)
		}
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", set, err, want)
		}
	}
	alike := tinyPixels(t)
	f := &method.Figures{Config: alike, Values: map[string]float64{"perplexity": 2}}
	for _, s := range pretrain.Method.Symptoms {
		if s.Seen(f) && strings.Contains(s.Text(f), "tokenizer") {
			t.Errorf("a run without a tokenizer is told: %s", s.Text(f))
		}
	}
}

// Labels cost the comparison of masked patches with all centroids.
func TestPixelCost(t *testing.T) {
	c := pretrain.Method.Preset("small32_beit1")
	before := pretrain.Method.Cost(c).FLOPs
	tok := tokenizer.SectionOf(tokenizer.Method.Preset("small32")).Model.EncodeFLOPs()
	s := pretrain.SectionOf(c)
	s.Target = "pixel-kmeans"
	want := beit.LinearFLOPs(s.Mask.Count, 3*s.Model.ViT.PatchSize*s.Model.ViT.PatchSize, 512)
	if got := pretrain.Method.Cost(c).FLOPs - (before - tok); got < 0.999*want || got > 1.001*want {
		t.Errorf("labels take %g operations, want %g", got, want)
	}
}
