package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// ErrNotServed is wrapped by the errors of Fetch for a failed or incomplete download: there is no network, the server does not have the
// file, or the connection was lost.
var ErrNotServed = errors.New("did not come")

// ErrUnsafe is wrapped by the errors of Fetch for a server that leads away from https, where anybody on the way could change the file.
var ErrUnsafe = errors.New("only https is fetched")

// Fetch downloads the file to path and returns its SHA-256. The file appears at path only when it is complete and its SHA-256 agrees. What came of an
// interrupted download stays in a folder beside it, and the next Fetch asks for the rest. Where another process was faster, its file is checked.
//
// progress, if not nil, gets the number of bytes so far and in total, -1 if the total is unknown: first when the server has answered.
func (p Published) Fetch(ctx context.Context, client *http.Client, path string, progress func(done, total int64)) (sum string, err error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	return fetcher{client, 6e9, time.Minute, progress}.fetch(ctx, p, path)
}

// Check compares the SHA-256 of the file at path with the published one and returns it.
func (p Published) Check(path string) (sum string, err error) {
	if sum, err = digest(path); err != nil {
		return "", err
	}
	if err := p.compare(path, sum); err != nil {
		return sum, fmt.Errorf("%w; remove it and pull it again", err)
	}
	return sum, nil
}

// compare returns an error if sum is not the published SHA-256.
func (p Published) compare(path, sum string) error {
	if !strings.HasPrefix(sum, p.SHA256) {
		return fmt.Errorf("%s: SHA-256 is %s, published is %s: the file is damaged or another one", path, sum, p.SHA256)
	}
	return nil
}

// digest is the SHA-256 of a file.
func digest(path string) (string, error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// fetcher downloads files.
type fetcher struct {
	client   *http.Client
	most     int64         // bytes that a file may have
	stall    time.Duration // without a byte, after which a download ends
	progress func(done, total int64)
}

func (f fetcher) fetch(ctx context.Context, p Published, path string) (sum string, err error) {
	part, err := openPartial(path, p.URL)
	if err != nil {
		return "", err
	}
	defer part.close()
	if _, err := os.Stat(path); err == nil {
		return p.Check(path)
	}
	if err := f.download(ctx, part); err != nil {
		return "", err
	}
	if sum, err = digest(part.file.Name()); err != nil {
		return "", err
	}
	if err := p.compare(p.URL, sum); err != nil {
		part.remove()
		return "", err
	}
	if err := part.file.Close(); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if err := state.Replace(path, part.file.Name()); err != nil {
		return "", err
	}
	part.remove()
	return sum, nil
}

// download asks for what is missing of part, and appends it.
func (f fetcher) download(ctx context.Context, part *partial) error {
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	silence := time.AfterFunc(f.stall, func() { end(fmt.Errorf("the server sent nothing for %v", f.stall)) })
	defer silence.Stop()
	err := f.receive(running, part, func() { silence.Reset(f.stall) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && running.Err() != nil:
		err = fmt.Errorf("%w: %w", ErrNotServed, context.Cause(running))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", part.URL, err)
	}
	return nil
}

// receive does one request. heard is called whenever something came.
func (f fetcher) receive(ctx context.Context, part *partial, heard func()) error {
	answer, err := f.ask(ctx, part)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	total, err := part.begin(answer)
	if err != nil {
		return err
	}
	tooLong := fmt.Errorf("has more than %d MB, which no such file has", f.most/1e6)
	if total > f.most {
		return tooLong
	}
	f.progress(part.size, total)
	buffer := make([]byte, 256<<10)
	for {
		n, err := answer.Body.Read(buffer)
		heard()
		if part.size+int64(n) > f.most {
			part.remove()
			return tooLong
		}
		if err := part.append(buffer[:n]); err != nil {
			return err
		}
		f.progress(part.size, total)
		switch {
		case err == io.EOF && total >= 0 && part.size != total:
			return fmt.Errorf("%w whole: %d of %d bytes", ErrNotServed, part.size, total)
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%w whole: %w", ErrNotServed, err)
		}
	}
}

// ask sends the request for what is missing of part; for all of it where the server has another file now.
func (f fetcher) ask(ctx context.Context, part *partial) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, part.URL, nil)
	if err != nil {
		return nil, err
	}
	if request.URL.Scheme != "https" {
		return nil, ErrUnsafe
	}
	request.Header.Set("Accept-Encoding", "identity")
	if part.size > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", part.size))
		request.Header.Set("If-Range", part.Version)
	}
	client := *f.client
	client.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		if next.URL.Scheme != "https" {
			return fmt.Errorf("%w, and the server leads to %s", ErrUnsafe, next.URL)
		}
		if len(before) >= 10 {
			return errors.New("the server leads from one address to the next")
		}
		return nil
	}
	answer, err := client.Do(request)
	switch {
	case errors.Is(err, ErrUnsafe):
		return nil, errors.Unwrap(err) // of package url, which names the address once more
	case err != nil:
		var failed *url.Error // which names the address once more
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("%w: %w", ErrNotServed, err)
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable && part.size > 0: // longer than the file
		answer.Body.Close()
		if err := part.restart(""); err != nil {
			return nil, err
		}
		return f.ask(ctx, part)
	case answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusPartialContent:
		answer.Body.Close()
		return nil, fmt.Errorf("%w: the server answers %s", ErrNotServed, answer.Status)
	case strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html"): // such as the login page of a network
		answer.Body.Close()
		return nil, fmt.Errorf("%w: the server answers with a page of HTML", ErrNotServed)
	}
	return answer, nil
}
