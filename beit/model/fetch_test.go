package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/run"
)

// content is that of the file that the tests fetch.
var content = strings.Repeat("weights ", 1000)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// serve answers with handle over https. The fetcher that it returns has small limits.
func serve(t *testing.T, handle http.HandlerFunc) (f fetcher, url string) {
	t.Helper()
	server := httptest.NewTLSServer(handle)
	t.Cleanup(server.Close)
	return fetcher{server.Client(), 10_000, time.Minute, func(int64, int64) {}}, server.URL + "/file.pth"
}

// whole answers with text as servers of files do, in ranges too.
func whole(text, version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", version)
		http.ServeContent(w, r, "file.pth", time.Time{}, strings.NewReader(text))
	}
}

// cutAfter is a server whose connection breaks after n bytes of the whole file.
func cutAfter(n int, version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", version)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		io.WriteString(w, content[:n])
	}
}

// onlyFile fails unless the file alone is in its folder, with the text; no file for an empty text.
func onlyFile(t *testing.T, path, text string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if text == "" && err == nil || text != "" && string(got) != text {
		t.Errorf("%d bytes in the file, want %d; %v", len(got), len(text), err)
	}
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Name() != filepath.Base(path) {
			t.Errorf("%s was left", e.Name())
		}
	}
}

func TestFetch(t *testing.T) {
	const tooLong = "too long by its own words"
	for _, c := range []struct {
		name, sha, want string
		notServed       bool
		handle          http.HandlerFunc
	}{
		{"whole", sumOf(content), "", false, whole(content, `"1"`)},
		{"first digits", sumOf(content)[:8], "", false, whole(content, "")},
		{"unknown digest, unknown size", "", "", false, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, content[:9])
			w.(http.Flusher).Flush()
			io.WriteString(w, content[9:])
		}},
		{"wrong digest", "00", "damaged or another one", false, whole(content, `"1"`)},
		{"gone", "", "404", true, http.NotFound},
		{"login", "", "a page", true, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!DOCTYPE html><html>") }},
		{"cut, of no version", "", "did not come whole", true, cutAfter(5000, "")},
		{"rest that nobody asked for", "", "the server sends", true, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
		}},
		{tooLong, "", "more than 0 MB", false, whole(content+content, `"1"`)},
		{"too long", "", "more than 0 MB", false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			for range 1000 {
				io.WriteString(w, content)
				w.(http.Flusher).Flush()
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, url := serve(t, c.handle)
			last, of := int64(0), int64(0)
			f.progress = func(done, total int64) { last, of = done, total }
			path := filepath.Join(t.TempDir(), "file")
			p := Published{URL: url, SHA256: c.sha}
			sum, err := f.fetch(t.Context(), p, path)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrNotServed) != c.notServed || strings.Count(err.Error(), url) != 1 {
					t.Errorf("error %v, want one with %q", err, c.want)
				}
				if told := of != 0; told && c.name == tooLong {
					t.Error("it was read although the server says that it is too long")
				}
				onlyFile(t, path, "")
				return
			}
			if err != nil || sum != sumOf(content) || last != int64(len(content)) || of != -1 && of != last {
				t.Errorf("%s, %d of %d bytes, %v", sum, last, of, err)
			}
			onlyFile(t, path, content)
			if again, err := p.Check(path); err != nil || again != sum {
				t.Errorf("check: %s, %v", again, err)
			}
		})
	}
}

// A download that was cut goes on where it stopped, and begins anew where the server has another file now.
func TestFetchGoesOn(t *testing.T) {
	newer := strings.ToUpper(content)
	for _, c := range []struct {
		name   string
		then   http.HandlerFunc
		ranges string // that is asked for
		want   string
		from   int64 // done when the server has answered
	}{
		{"same file", whole(content, `"1"`), "bytes=5000-", content, 5000},
		{"another file", whole(newer, `"2"`), "bytes=5000-", newer, 0},
		{"shorter file", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			io.WriteString(w, content[:100])
		}, "bytes=5000-", content[:100], 0},
		{"server without ranges", cutAfter(len(content), `"1"`), "bytes=5000-", content, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := cutAfter(5000, `"1"`)
			asked := []string{}
			f, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Header.Get("Range"))
				now(w, r)
			})
			path := filepath.Join(t.TempDir(), "file")
			p := Published{URL: url}
			if _, err := f.fetch(t.Context(), p, path); !errors.Is(err, ErrNotServed) {
				t.Fatalf("cut: error %v", err)
			}
			if _, err := os.Stat(path); err == nil {
				t.Error("a file that did not come whole is there")
			}
			now = c.then
			first := int64(-1)
			f.progress = func(done, _ int64) {
				if first < 0 {
					first = done
				}
			}
			sum, err := f.fetch(t.Context(), p, path)
			if err != nil || sum != sumOf(c.want) || first != c.from || asked[1] != c.ranges {
				t.Errorf("%v; went on from %d, want %d; ranges %q", err, first, c.from, asked)
			}
			onlyFile(t, path, c.want)
		})
	}
}

// What came from one address is no part of a file from another.
func TestFetchFromElsewhere(t *testing.T) {
	f, url := serve(t, cutAfter(5000, `"1"`))
	path := filepath.Join(t.TempDir(), "file")
	if _, err := f.fetch(t.Context(), Published{URL: url}, path); !errors.Is(err, ErrNotServed) {
		t.Fatal(err)
	}
	f, url = serve(t, whole(content, `"1"`)) // the same version, so that a range would be served
	if sum, err := f.fetch(t.Context(), Published{URL: url}, path); err != nil || sum != sumOf(content) {
		t.Errorf("%s, %v", sum, err)
	}
	onlyFile(t, path, content)
}

// Nothing is asked for or taken over http, also where a server leads there.
func TestFetchOverHTTPSAlone(t *testing.T) {
	asked := false
	open := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer open.Close()
	f, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file.pth" {
			http.Redirect(w, r, "/second", http.StatusFound)
			return
		}
		http.Redirect(w, r, open.URL, http.StatusFound)
	})
	path := filepath.Join(t.TempDir(), "file")
	for _, url := range []string{url, open.URL} {
		if _, err := f.fetch(t.Context(), Published{URL: url}, path); !errors.Is(err, ErrUnsafe) || asked || strings.Count(err.Error(), url) != 1 {
			t.Errorf("%s: error %v, asked over http: %v", url, err, asked)
		}
	}
	onlyFile(t, path, "")
}

// A server that falls silent, and a user who interrupts, end a download; both leave what came.
func TestFetchEnds(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	f, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" {
			cutAfter(5000, `"1"`)(w, r)
		}
		w.(http.Flusher).Flush()
		<-release
	})
	path := filepath.Join(t.TempDir(), "file")
	f.stall = time.Second // so long that a busy machine does not seem silent
	if _, err := f.fetch(t.Context(), Published{URL: url}, path); !errors.Is(err, ErrNotServed) || !strings.Contains(err.Error(), "sent nothing for 1s") {
		t.Errorf("silent: error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.stall = time.Minute
	f.progress = func(done, _ int64) { cancel() }
	cancel()
	if _, err := f.fetch(ctx, Published{URL: url}, path); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: error %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(path+partEnding, partData)); err != nil || !bytes.Equal(got, []byte(content[:5000])) {
		t.Errorf("%d bytes are left, %v", len(got), err)
	}
}

// Two processes do not write into one file. The slower one checks what the faster one fetched.
func TestFetchTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var f fetcher
	var url string
	inside := func(sha, want string) {
		_, err := f.fetch(t.Context(), Published{URL: url, SHA256: sha}, path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a second process: error %v, want %s", err, want)
		}
	}
	f, url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		inside("", "another process")
		whole(content, `"1"`)(w, r)
	})
	if _, err := f.fetch(t.Context(), Published{URL: url}, path); err != nil {
		t.Fatal(err)
	}
	inside("00", "pull it again")
	onlyFile(t, path, content)
	if lock, err := run.Claim(path + partEnding); err != nil {
		t.Errorf("the lock is left: %v", err)
	} else {
		lock.Close()
	}
}
