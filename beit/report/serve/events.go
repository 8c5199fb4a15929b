package serve

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Times of a stream of events.
const (
	pollEvery  = time.Second            // a run's files are read, usually
	paceEvery  = 250 * time.Millisecond // at most, events are sent
	beatEvery  = 15 * time.Second       // something is sent, by which a connection that was lost is noticed
	writeLimit = 20 * time.Second       // a page has to take what is sent
	lingers    = 30 * time.Second       // a feed without pages: one may connect again
)

// maxStreams is how many pages may follow runs at the same time.
const maxStreams = 100

// feeds are the runs that pages follow.
type feeds struct {
	ctx  context.Context // ends all
	poll time.Duration   // between two looks at a run's files

	mu      sync.Mutex
	streams int
	byDir   map[string]*shared
}

// shared is a feed with the number of its pages.
type shared struct {
	*feed
	pages int
	stop  context.CancelFunc
	end   *time.Timer // of a feed without pages
}

func newFeeds(ctx context.Context) *feeds {
	return &feeds{ctx: ctx, poll: pollEvery, byDir: map[string]*shared{}}
}

// join returns the feed of the run in dir, and what to call at the end. ok is false when there are too many pages.
func (f *feeds) join(dir string) (to *feed, leave func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streams == maxStreams {
		return nil, nil, false
	}
	f.streams++
	s := f.byDir[dir]
	if s == nil {
		ctx, stop := context.WithCancel(f.ctx)
		s = &shared{feed: newFeed(dir), stop: stop}
		f.byDir[dir] = s
		go s.follow(ctx, f.poll)
	}
	if s.pages++; s.end != nil {
		s.end.Stop()
	}
	return s.feed, func() { f.leave(dir, s) }, true
}

// leave takes a page off a feed. The feed ends when no page has come for a while.
func (f *feeds) leave(dir string, s *shared) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams--
	if s.pages--; s.pages > 0 {
		return
	}
	s.end = time.AfterFunc(lingers, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if s.pages == 0 && f.byDir[dir] == s { // else a page came, or another timer was first
			s.stop()
			delete(f.byDir, dir)
		}
	})
}

// events streams what happens in a run to a page, as server-sent events.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	found, ok := s.run(w, r)
	if !ok {
		return
	}
	from, leave, ok := s.feeds.join(found.Dir)
	if !ok {
		http.Error(w, "too many pages follow runs: close some", http.StatusServiceUnavailable)
		return
	}
	defer leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	stream(r.Context(), http.NewResponseController(w), w, from, from.numberOf(r.Header.Get("Last-Event-ID")))
}

// stream writes the events after the one of a number, until the page or the server ends.
func stream(ctx context.Context, c *http.ResponseController, w http.ResponseWriter, from *feed, last int) {
	// The server's limits are for requests that end. Some writers, as those of tests, have none.
	_ = c.SetReadDeadline(time.Time{})
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		text, number, changed, err := from.since(last)
		if err != nil {
			return
		}
		if last = number; len(text) > 0 && !send(c, w, text) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(paceEvery):
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if !send(c, w, []byte(": still there\n\n")) {
				return
			}
		case <-changed:
		}
	}
}

// send writes text at once. ok is false when the page does not take it.
func send(c *http.ResponseController, w http.ResponseWriter, text []byte) (ok bool) {
	_ = c.SetWriteDeadline(time.Now().Add(writeLimit))
	if _, err := w.Write(text); err != nil {
		return false
	}
	return c.Flush() == nil
}
