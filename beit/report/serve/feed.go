package serve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/report/figure"
	"github.com/gobeit/gobeit/beit/run"
)

// Bounds of what a feed keeps for pages that connect again, and of a part of a file that is sent as single points.
const (
	keptEvents = 200
	fewLines   = 100
)

// stateGone is the state of a run whose folder is no longer there.
const stateGone run.State = "gone"

// feed follows one run for all pages that show it. It keeps the newest events. A page that has seen others gets the whole of the curves.
type feed struct {
	dir string
	m   *method.Method // nil: the configuration cannot be read

	mu      sync.Mutex
	curves  *curves
	digest  model.Digest
	damage  error         // the first damaged line
	status  []byte        // the newest status event
	events  []event       // the newest ones
	next    int           // number of the next event
	birth   int64         // tells the events of one feed from those of another
	changed chan struct{} // closed when next grows
}

// event is a message to pages: its number and its text.
type event struct {
	number int
	text   []byte
}

// newFeed returns a feed of the run in dir. It is filled by follow.
func newFeed(dir string) *feed {
	f := &feed{dir: dir, birth: time.Now().UnixNano(), changed: make(chan struct{}), next: 1}
	f.m, _, _ = model.Settings(dir)
	f.restart()
	return f
}

// restart forgets the records, and what pages can have seen of them.
func (f *feed) restart() {
	var metrics []method.Metric
	if f.m != nil {
		metrics = f.m.AllMetrics()
	}
	f.curves, f.digest, f.damage, f.events = newCurves(metrics), model.Digest{}, nil, nil
}

// follow reads the run every so often, until ctx ends.
func (f *feed) follow(ctx context.Context, every time.Duration) {
	reader := run.NewFollower(f.dir)
	for ctx.Err() == nil {
		status, problem := readStatus(f.dir)
		lines, restarted, err := reader.Read()
		f.take(lines, restarted, status, cmp.Or(problem, err))
		if len(lines) > 0 {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-time.After(every):
		}
	}
}

// readStatus reads the status of a run, which may be of an older version, damaged, or gone.
func readStatus(dir string) (run.Status, error) {
	s, err := run.ReadStatus(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return run.Status{State: stateGone}, nil
		}
		return run.Status{}, nil
	}
	if err != nil {
		return run.Status{State: model.StateDamaged}, err
	}
	return s, nil
}

// take adds lines of the metrics file, and makes events of what is new.
func (f *feed) take(lines []run.Line, restarted bool, status run.Status, problem error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	whole := restarted || len(lines) > fewLines
	if restarted {
		f.restart()
	}
	var points []added
	for _, line := range lines {
		if line.Err != nil {
			f.damage = cmp.Or(f.damage, line.Err)
			continue
		}
		f.digest.Add(f.m, line.Record)
		gained, renewed := f.curves.add(line.Record, status)
		points, whole = append(points, gained...), whole || renewed
	}
	news := false
	switch {
	case whole:
		f.events, news = nil, true
		f.next++ // whoever is up to date misses this one, and gets the whole
	case len(points) > 0:
		f.push(pointsEvent(points))
		news = true
	}
	if text := f.statusEvent(status, cmp.Or(problem, f.damage)); string(text) != string(f.status) {
		f.status = text
		f.push(text)
		news = true
	}
	if news {
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

// push adds an event.
func (f *feed) push(text []byte) {
	if len(f.events) == keptEvents {
		f.events = append(f.events[:0], f.events[1:]...)
	}
	f.events = append(f.events, event{f.next, text})
	f.next++
}

// pointsEvent has a list for each point: chart, series, the places on the axes, the value.
func pointsEvent(points []added) []byte {
	list := make([][]float64, len(points))
	for i, p := range points {
		list[i] = append([]float64{float64(p.at[0]), float64(p.at[1])}, append(p.x[:], p.y)...)
	}
	return message("points", list)
}

// progress is how far a run is, as pages show it.
type progress struct {
	State   run.State `json:"state"`
	Step    int       `json:"step"`
	Total   int       `json:"total"`
	Epoch   int       `json:"epoch"`
	Epochs  int       `json:"epochs"`
	Left    string    `json:"left"`
	Figure  string    `json:"figure"`
	Problem string    `json:"problem"`
}

func (f *feed) statusEvent(s run.Status, problem error) []byte {
	p := progress{s.State, s.Step, s.Total, s.Epoch, s.Epochs, left(f.digest.Left(s)), "", short(s.Error)}
	if f.m != nil {
		p.Figure = figure.Metric(f.digest.Figure(f.m))
	}
	if problem != nil {
		p.Problem = short(problem.Error())
	}
	return message("status", p)
}

// since returns the events after the one of a number, and the number of the last one. Where these are no longer there, it returns the status and all
// curves. changed is closed when there are more.
func (f *feed) since(number int) (text []byte, last int, changed <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, changed = f.next-1, f.changed
	if number == last || last == 0 { // nothing was read yet
		return nil, number, changed, nil
	}
	if i := len(f.events) - (last - number); number < last && i >= 0 {
		for _, e := range f.events[i:] {
			text = append(text, f.named(e)...)
		}
		return text, last, changed, nil
	}
	whole, err := f.whole()
	return append(bytes.Clone(f.status), f.named(event{last, whole})...), last, changed, err
}

// named is the text of an event with the name by which a page says that it has it.
func (f *feed) named(e event) []byte {
	return append(fmt.Appendf(nil, "id: %d-%d\n", f.birth, e.number), e.text...)
}

// numberOf is the number of the event that a page named; -1: it is not of this feed.
func (f *feed) numberOf(name string) int {
	birth, number, _ := strings.Cut(name, "-")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || birth != strconv.FormatInt(f.birth, 10) {
		return -1
	}
	return n
}

// whole is an event with all charts.
func (f *feed) whole() ([]byte, error) {
	charts := f.curves.charts()
	list := make([]json.RawMessage, len(charts))
	for i, c := range charts {
		text, err := c.JSON(axes)
		if err != nil {
			return nil, err
		}
		list[i] = json.RawMessage(text)
	}
	return message("charts", list), nil
}

// message is the text of an event with data as JSON, in one line.
func message(kind string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // numbers that are not finite are left out, and nothing else fails
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, text)
}
