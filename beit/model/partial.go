package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// partial is what came of a file so far. It lies in a folder beside the file's place, whose lock keeps other processes out.
type partial struct {
	source
	dir  string
	lock *run.Lock
	file *os.File
	size int64
	gone bool
}

// source says which file a partial one is a part of.
type source struct {
	URL     string `json:"url"`
	Version string `json:"version"` // an ETag or a date, by which the server knows the file; empty: it cannot be asked for a rest
}

// Names in the folder of a partial file.
const (
	partEnding = ".part"
	partData   = "data"
	partSource = "source.json"
)

// openPartial opens what came of the file for path from url.
func openPartial(path, url string) (p *partial, err error) {
	p = &partial{dir: path + partEnding, source: source{URL: url}}
	var busy *run.BusyError
	if p.lock, err = run.Claim(p.dir); errors.As(err, &busy) {
		return nil, fmt.Errorf("%s: another process is fetching it: wait until it ends", path)
	} else if err != nil {
		return nil, err
	}
	if p.file, err = os.OpenFile(filepath.Join(p.dir, partData), os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		p.lock.Close()
		return nil, err
	}
	var had source
	text, err := regular.ReadAtMost(filepath.Join(p.dir, partSource), 1<<16)
	if err == nil {
		err = json.Unmarshal(text, &had)
	}
	if err == nil && had.URL == url && had.Version != "" {
		p.source = had
		p.size, err = p.file.Seek(0, io.SeekEnd)
	} else {
		err = p.restart("")
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// restart forgets what came, for a version that begins now.
func (p *partial) restart(version string) error {
	p.size, p.Version = 0, version
	err := p.file.Truncate(0)
	if err == nil {
		_, err = p.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	return state.WriteFileAtomic(filepath.Join(p.dir, partSource), func(w io.Writer) error { return json.NewEncoder(w).Encode(p.source) })
}

// begin takes an answer: the rest of what came, or another file from its start. It returns the size of the whole, -1 where that is not known.
func (p *partial) begin(answer *http.Response) (total int64, err error) {
	if answer.StatusCode == http.StatusPartialContent {
		var first, last int64
		text := answer.Header.Get("Content-Range")
		if n, _ := fmt.Sscanf(text, "bytes %d-%d/%d", &first, &last, &total); n < 2 || first != p.size || p.size == 0 {
			return 0, fmt.Errorf("%w: asked for bytes from %d on, the server sends %q", ErrNotServed, p.size, text)
		} else if n < 3 {
			total = -1
		}
		return total, nil
	}
	version := answer.Header.Get("ETag")
	if version == "" || strings.HasPrefix(version, "W/") { // a weak one does not tell bytes apart
		version = answer.Header.Get("Last-Modified")
	}
	return answer.ContentLength, p.restart(version)
}

func (p *partial) append(b []byte) error {
	n, err := p.file.Write(b)
	p.size += int64(n)
	return err
}

// close leaves what came for later; nothing where nothing came.
func (p *partial) close() {
	if p.size == 0 || p.Version == "" {
		p.remove()
	}
	p.file.Close()
	p.lock.Close()
}

// remove gives up what came.
func (p *partial) remove() {
	if p.gone { // what lies there now may be another process's
		return
	}
	p.gone = true
	p.file.Close()
	os.Remove(p.file.Name())
	os.Remove(filepath.Join(p.dir, partSource))
	lock := filepath.Join(p.dir, run.LockFile)
	if os.Remove(lock) != nil { // while it is locked, so that who waits makes a new one; Windows does not remove an open file
		p.lock.Close()
		os.Remove(lock)
	}
	os.Remove(p.dir)
	p.lock.Close()
}
