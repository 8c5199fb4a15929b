package serve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// drawn is an image file.
func drawn(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for y := range 40 {
		for x := range 60 {
			m.Set(x, y, color.RGBA{uint8(4 * x), uint8(6 * y), 128, 255})
		}
	}
	var b bytes.Buffer
	write(t, png.Encode(&b, m))
	return b.Bytes()
}

// ask posts an image to the server.
func ask(t testing.TB, s *Server, url string, content io.Reader) (status int, a answer, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, request(t.Context(), "POST", url, content))
	if w.Code == http.StatusOK {
		write(t, json.Unmarshal(w.Body.Bytes(), &a))
	}
	return w.Code, a, w.Body.String()
}

// Every kind of model says of an image what it can, and the same as package infer.
func TestImage(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: trains three models")
	}
	tok := runtest.Folder(t, tokenizer.Method)
	root := filepath.Join(t.TempDir(), "runs")
	for name, from := range map[string]string{
		"tokenizer": tok, "classifier": runtest.Folder(t, finetune.Method), "backbone": runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok),
	} {
		write(t, os.CopyFS(filepath.Join(root, name), os.DirFS(from)))
	}
	s := New(root, Options{})
	defer s.Close()
	file := drawn(t)
	img, err := png.Decode(bytes.NewReader(file))
	write(t, err)

	_, a, text := ask(t, s, "/image/tokenizer", bytes.NewReader(file))
	want, err := infer.OpenTokenizer(tok, infer.Options{})
	write(t, err)
	defer want.Close()
	codes, err := want.Encode(img)
	write(t, err)
	if a.Grid != 4 || a.Tokens == nil || !slices.Equal(a.Tokens.Codes, codes.Index) || len(a.Tokens.Colours) != len(codes.Index) || a.Mask != nil || a.Classes != nil || !strings.HasPrefix(string(a.Images[0]), "data:image/png;base64,") {
		t.Errorf("a tokenizer: %s", text)
	}
	attention, err := want.Attention(img, 1)
	write(t, err)
	_, a, text = ask(t, s, "/image/tokenizer?block=1&head=2", bytes.NewReader(file))
	if a.Attention == nil || a.Attention.Block != 1 || a.Attention.Blocks != 2 || a.Attention.Heads != 2 || len(a.Attention.Rows) != 17 {
		t.Fatalf("attention: %s", text)
	}
	for query, row := range a.Attention.Rows {
		weights := attention.Map(1, query)
		for i, w := range weights {
			if got := float32(row[i]) / 255 * a.Attention.Max[query]; got < w-a.Attention.Max[query]/500 || got > w+a.Attention.Max[query]/500 {
				t.Fatalf("weight of patch %d from %d is %g, want %g", i, query, got, w)
			}
		}
	}

	_, a, text = ask(t, s, "/image/classifier", bytes.NewReader(file))
	if a.Tokens != nil || len(a.Classes) != topClasses || a.Classes[0].Name == "" || a.Classes[0].Probability < a.Classes[1].Probability || a.Attention == nil {
		t.Errorf("a classifier: %s", text)
	}

	_, a, text = ask(t, s, "/image/backbone", bytes.NewReader(file))
	if a.Notes != nil || a.Mask == nil || len(a.Mask.Patches) != 6 || a.Tokens == nil || a.Attention == nil {
		t.Fatalf("a backbone: %s", text)
	}
	_, other, _ := ask(t, s, "/image/backbone?seed=1", bytes.NewReader(file))
	if slices.Equal(a.Mask.Mask, other.Mask.Mask) {
		t.Error("another seed gives the same mask")
	}
	for _, p := range a.Mask.Patches {
		if !a.Mask.Mask[p.At] || p.True.Code != a.Tokens.Codes[p.At] || len(p.Likeliest) != topCodes {
			t.Errorf("patch %+v", p)
		}
	}

	testNearest(t, s, filepath.Join(root, "backbone"), file)

	for url, want := range map[string]int{
		"/image/other": 404, "/image/tokenizer?block=3": 400, "/image/tokenizer?head=3": 400, "/image/tokenizer?block=-1": 400, "/image/tokenizer?seed=x": 400,
	} {
		if status, _, text := ask(t, s, url, bytes.NewReader(file)); status != want || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: status %d, want %d: %q", url, status, want, text)
		}
	}
	for name, content := range bombs(t) {
		if status, _, text := ask(t, s, "/image/tokenizer", content.body); status != content.status || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: status %d, want %d: %q", name, status, content.status, text)
		}
	}
	// A run whose model is gone, and one that is damaged, are errors; the others go on.
	write(t, os.RemoveAll(filepath.Join(root, "classifier", run.CheckpointDir)), os.Remove(filepath.Join(root, "classifier", finetune.Method.ModelFile)),
		os.RemoveAll(filepath.Join(root, "classifier", run.BestFile)), os.Truncate(filepath.Join(root, "backbone", pretrain.Method.ModelFile), 1000),
		os.RemoveAll(filepath.Join(root, "backbone", run.CheckpointDir)))
	for _, name := range []string{"classifier", "backbone"} {
		if status, _, text := ask(t, s, "/image/"+name, bytes.NewReader(file)); status != http.StatusInternalServerError || !strings.Contains(text, name) {
			t.Errorf("%s: status %d: %q", name, status, text)
		}
	}
	if status, _, _ := ask(t, s, "/image/tokenizer", bytes.NewReader(file)); status != http.StatusOK {
		t.Errorf("afterwards: status %d", status)
	}
	if status, body := get(t, s.Handler(), "/image/tokenizer"); status != http.StatusOK || !strings.Contains(body, `value="/image/tokenizer" selected`) {
		t.Errorf("the page: status %d: %s", status, body)
	}
}

// testNearest makes an index of images for a backbone. The nearest of them are found, and shown where their files are in the folder.
func testNearest(t *testing.T, s *Server, run string, file []byte) {
	t.Helper()
	folder := t.TempDir()
	put(t, folder, "same.png", string(file))
	put(t, filepath.Dir(folder), "outside.png", string(file))
	enc, err := infer.OpenEncoder(run, infer.Options{})
	write(t, err)
	defer enc.Close()
	key, err := explore.IndexKey(enc.Checksum(), true, []string{folder})
	write(t, err)
	index := explore.NewIndex(key)
	img, err := png.Decode(bytes.NewReader(file))
	write(t, err)
	same, err := enc.Encode(img)
	write(t, err)
	for name, scale := range map[string]float32{"same.png": 1, "../outside.png": 1, "gone <b>.png": -1} {
		v := make([]float32, len(same.Mean))
		for i, x := range same.Mean {
			v[i] = scale * x
		}
		index.Put(explore.Stamp{Name: name}, infer.Features{CLS: v, Mean: v})
	}
	write(t, index.Write(filepath.Join(run, indexName)))
	_, a, text := ask(t, s, "/image/backbone", bytes.NewReader(file))
	if len(a.Nearest) != 3 || a.Notes != nil {
		t.Fatalf("nearest images: %s", text)
	}
	for i, want := range []struct {
		name  string
		shown bool
	}{{"../outside.png", false}, {"same.png", true}, {"gone <b>.png", false}} {
		if got := a.Nearest[i]; got.Name != want.name || (got.Image != "") != want.shown {
			t.Errorf("the image after %d others is %+v, want %+v", i, got, want)
		}
	}
	if a.Nearest[1].Cosine < 0.9999 || a.Nearest[2].Cosine > -0.9999 {
		t.Errorf("cosines %g and %g", a.Nearest[1].Cosine, a.Nearest[2].Cosine)
	}
	put(t, run, indexName, "no index")
	if _, a, text = ask(t, s, "/image/backbone", bytes.NewReader(file)); len(a.Notes) != 1 || !strings.Contains(a.Notes[0], indexName) || a.Mask == nil {
		t.Errorf("a damaged index: %s", text)
	}
}

// bomb is a body that would take much memory, and the status that refuses it.
type bomb struct {
	body   io.Reader
	status int
}

func bombs(t testing.TB) map[string]bomb {
	t.Helper()
	huge := slices.Clone(drawn(t)) // whose header claims 60000 x 60000 pixels
	header := huge[12 : 12+4+13]
	binary.BigEndian.PutUint32(header[4:], 60000)
	binary.BigEndian.PutUint32(header[8:], 60000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(header))
	return map[string]bomb{
		"nothing":         {strings.NewReader(""), 415},
		"no image":        {strings.NewReader("<svg onload=alert(1)>"), 415},
		"half an image":   {bytes.NewReader(drawn(t)[:100]), 415},
		"60000 x 60000":   {bytes.NewReader(huge), 415},
		"a hundred MB":    {io.LimitReader(zeros{}, 100<<20), 413},
		"an endless body": {zeros{}, 413},
	}
}

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Too many images at once are refused before they are read.
func TestImagesWait(t *testing.T) {
	root := t.TempDir()
	makeRun(t, filepath.Join(root, "run"), run.Status{State: run.StateFinished})
	s := New(root, Options{})
	defer s.Close()
	for range maxWaiting {
		leave, err := s.models.queue()
		write(t, err)
		defer leave()
	}
	if status, _, _ := ask(t, s, "/image/run", zeros{}); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
}
