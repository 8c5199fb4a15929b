package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gobeit/gobeit/beit/data"
)

// imageLimits bound what an image may take.
var imageLimits = data.Limits{Pixels: 50 << 20, Bytes: 32 << 20}

// asked is what a request wants to know of an image.
type asked struct {
	block, head int    // 0: the last block, the mean of all heads; heads count from 1
	seed        uint64 // of the mask
}

// image answers what a model makes of the image in the body of a request. Nothing is written to disk.
func (s *Server) image(w http.ResponseWriter, r *http.Request) {
	l, ok := s.run(w, r)
	if !ok {
		return
	}
	made, err := s.look(w, r, l.Dir)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	text, err := json.Marshal(made) // whole before its status is sent
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(text)
}

// look reads what a request asks, and lets the model of the run in dir look at the image in its body.
func (s *Server) look(w http.ResponseWriter, r *http.Request, dir string) (made *answer, err error) {
	ask, err := askedBy(r)
	if err != nil {
		return nil, err
	}
	leave, err := s.models.queue()
	if err != nil {
		return nil, err
	}
	defer leave()
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, imageLimits.Bytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, problem{fmt.Errorf("the file has more than %d MiB", tooLarge.Limit>>20), http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return nil, problem{errors.New("the image did not arrive"), http.StatusBadRequest}
	}
	err = s.models.use(r.Context(), dir, func(o *opened) error {
		img, err := data.Decode(content, imageLimits, data.ExifTranspose())
		if err != nil {
			return problem{err, http.StatusUnsupportedMediaType}
		}
		made, err = answerOf(o, img, ask)
		return err
	})
	return made, err
}

// askedBy reads the query of a request.
func askedBy(r *http.Request) (a asked, err error) {
	number := func(name string) (n uint64) {
		if text := r.URL.Query().Get(name); text != "" && err == nil {
			if n, err = strconv.ParseUint(text, 10, 31); err != nil {
				err = problem{fmt.Errorf("%s must be a number from 0", name), http.StatusBadRequest}
			}
		}
		return n
	}
	a = asked{block: int(number("block")), head: int(number("head")), seed: number("seed")}
	return a, err
}
