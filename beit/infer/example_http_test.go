package infer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/train"
)

// limits bounds what a request may make the service allocate.
var limits = data.Limits{Pixels: 16 << 20, Bytes: 8 << 20}

// embedder is an HTTP service: POST /embed takes an image file and returns its vector.
type embedder struct {
	encoder *infer.Encoder
	slots   chan struct{} // its capacity bounds how many images are decoded at the same time
}

// handler returns the routes.
func (e *embedder) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /embed", e.embed)
	return mux
}

// embed answers one request.
func (e *embedder) embed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.Bytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("the image has more than %d bytes", tooLarge.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the image did not arrive", http.StatusBadRequest)
		return
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-r.Context().Done():
		return
	}
	img, err := data.Decode(body, limits)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
		return
	}
	features, err := e.encoder.Encode(img)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(struct {
		Vector []float32 `json:"vector"`
	}{features.Mean})
}

// serve answers requests until ctx is done. Requests under way are answered, for at most 10 seconds.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}

// tinyBackbone trains a backbone for a moment. A service opens one that was trained for long.
func tinyBackbone(dir string) (path string, err error) {
	cfg, _, err := dino.Method.Configure("small32", "", []string{
		"data.path=procedural:16", "train.epochs=1", "train.batch=16", "dino.model.outputs=16",
		"dino.model.vit.patch_size=8", "dino.model.vit.width=48", "dino.model.vit.depth=1", "dino.model.vit.heads=3",
	}, model.Opener())
	if err != nil {
		return "", err
	}
	result, err := train.Run(context.Background(), filepath.Join(dir, "backbone"), dino.Method, cfg, train.Env{})
	if err != nil {
		return "", err
	}
	return result.Model, nil
}

// Example_http serves the vectors of images, posts one, and ends the service.
func Example_http() {
	dir, err := os.MkdirTemp("", "embed")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path, err := tinyBackbone(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	encoder, err := infer.OpenEncoder(path, infer.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer encoder.Close()
	service := &embedder{encoder, make(chan struct{}, 4)}

	l, err := net.Listen("tcp", "127.0.0.1:0") // only this machine can connect, at any free port
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background()) // in a program: signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	ended := make(chan error)
	go func() { ended <- serve(ctx, l, service.handler()) }()

	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
		fmt.Println(err)
		return
	}
	response, err := http.Post("http://"+l.Addr().String()+"/embed", "image/png", &file)
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer struct{ Vector []float32 }
	err = json.NewDecoder(response.Body).Decode(&answer)
	response.Body.Close()
	fmt.Println(response.StatusCode, len(answer.Vector), err)

	for _, body := range []io.Reader{bytes.NewReader([]byte("no image")), bytes.NewReader(make([]byte, limits.Bytes+1))} {
		w := httptest.NewRecorder()
		service.handler().ServeHTTP(w, httptest.NewRequest("POST", "/embed", body))
		fmt.Println(w.Code)
	}

	stop()
	fmt.Println(<-ended)
	// Output:
	// 200 48 <nil>
	// 415
	// 413
	// <nil>
}
