package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
)

// CompareEntries trains the entries, all at the same cost, measures them on the validation images, and leaves tables and a page in c.Out. Of c it
// uses images, folder and Set, which come before those of the file. What is there is kept, and continued.
func CompareEntries(ctx context.Context, e Env, c Comparison, file *Entries) (*Standing, error) {
	l, err := newLineup(ctx, e, &c, file)
	if err != nil {
		return nil, err
	}
	if err := l.claim(); err != nil {
		return nil, err
	}
	done, err := l.readMeasured()
	if err != nil {
		return nil, err
	}
	s := &Standing{Data: c.Data.String(), Preset: c.Preset, Seeds: file.Seeds, Set: c.Set, Unit: l.cost.unit, Budget: l.cost.amount}
	for i, entry := range file.List {
		l.env.reporter().Notice(fmt.Sprintf("entry %d of %d: %s", i+1, len(file.List), entry.Name))
		row, err := l.entry(entry, done)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", entry.Name, err)
		}
		s.add(row)
		if err := s.write(l.c.Out, l.val); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// entry chooses an alternative and does what is left of the chains of all seeds.
func (l *lineup) entry(e Entry, done *measured) (EntryRow, error) {
	row := EntryRow{Entry: e, Alternatives: len(e.alternatives()), Outside: l.outside[e.Name]}
	var err error
	if row.Chosen, err = l.choose(e, done); err != nil {
		return row, err
	}
	for i, seed := range l.file.Seeds {
		result, known := done.Chains[chainKey(e, seed)]
		if !known {
			l.env.reporter().Notice(fmt.Sprintf("%s: seed %d, %d of %d", e.Name, seed, i+1, len(l.file.Seeds)))
			if result, err = l.measure(l.final(e, row.Chosen, seed)); err != nil {
				return row, err
			}
			done.Chains[chainKey(e, seed)] = result
			if err := done.write(l.c.Out); err != nil {
				return row, err
			}
		}
		row.Seeds = append(row.Seeds, result)
	}
	row.summarize()
	return row, nil
}

// choose trains with every alternative of the sweep and returns the best on training images that are set aside, the first among equal ones.
func (l *lineup) choose(e Entry, done *measured) (string, error) {
	list := e.alternatives()
	if len(list) == 1 {
		return list[0], nil
	}
	best := -1.0
	chosen := ""
	for k, alternative := range list {
		key := sweepKey(e, alternative)
		top1, known := done.Sweeps[key]
		if !known {
			l.env.reporter().Notice(fmt.Sprintf("%s: alternative %d of %d, %s", e.Name, k+1, len(list), alternative))
			out, err := l.train(l.trial(e, k))
			switch {
			case diverged(err):
				l.env.reporter().Warning(fmt.Sprintf("%s: %s diverged, and is out of the choice: %v", e.Name, alternative, err))
			case err != nil:
				return "", err
			default:
				top1 = finetunedTop1(out.last.Final.Values)
			}
			done.Sweeps[key] = top1
			if err := done.write(l.c.Out); err != nil {
				return "", err
			}
		}
		if top1 != nil && *top1 > best {
			best, chosen = *top1, alternative
		}
	}
	if chosen == "" {
		return "", errors.New("sweep: all alternatives diverged")
	}
	return chosen, nil
}

// measured are the figures that are there, by chain and by alternative. They are kept in measuredFile.
type measured struct {
	Chains map[string]SeedResult `json:"chains"`
	Sweeps map[string]*float64   `json:"sweeps"` // top-1 on training images that were set aside; null: diverged
}

const measuredFile = "measured.json"

func chainKey(e Entry, seed int64) string         { return fmt.Sprintf("%s, seed %d", e.folder(), seed) }
func sweepKey(e Entry, alternative string) string { return e.folder() + ": " + alternative }
func (m *measured) write(dir string) error        { return writeJSON(filepath.Join(dir, measuredFile), m) }

// readMeasured reads what is there.
func (l *lineup) readMeasured() (*measured, error) {
	m := &measured{map[string]SeedResult{}, map[string]*float64{}}
	name := filepath.Join(l.c.Out, measuredFile)
	text, err := regular.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(text, m)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to measure the runs again", name, err)
	}
	if m.Chains == nil || m.Sweeps == nil { // null
		return nil, fmt.Errorf("%s: lacks chains or sweeps; remove it to measure the runs again", name)
	}
	for key, r := range m.Chains {
		images := 0
		if r.Top1 != nil {
			images = len(l.val)
		}
		if len(r.Right) != images {
			return nil, fmt.Errorf("%s: %s: speaks of %d validation images in place of %d; remove the file to measure the runs again", name, key, len(r.Right), images)
		}
	}
	return m, nil
}

// claimed are the settings that a folder was begun with. Entries may be added to it.
type claimed struct {
	Data        string           `json:"data"`
	EvalData    string           `json:"eval_data"`
	ValFraction float64          `json:"val_fraction"`
	Set         []string         `json:"set"`
	Common      *Entries         `json:"common"`
	Entries     map[string]Entry `json:"entries"`
}

// claim notes the settings, or compares them with those that the folder was begun with.
func (l *lineup) claim() error {
	mine := claimed{l.c.Data.Assignment(), l.c.EvalData.Assignment(), l.c.ValFraction, l.c.Set, l.file, map[string]Entry{}}
	for _, e := range l.file.List {
		mine.Entries[e.folder()] = e
	}
	name := filepath.Join(l.c.Out, settingsFile)
	text, err := regular.ReadFile(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = os.MkdirAll(l.c.Out, 0o777)
	case err == nil:
		if err := mine.over(text); err != nil {
			return wrong("%s holds a comparison with other settings (see %s): choose another folder, or %w", l.c.Out, name, err)
		}
	}
	if err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return writeJSON(name, mine)
}

// over takes in the entries of older settings, which must not say otherwise.
func (c *claimed) over(text []byte) error {
	var old claimed
	if json.Unmarshal(text, &old) != nil {
		old = claimed{}
	}
	for folder, before := range old.Entries {
		now, ok := c.Entries[folder]
		if ok && !sameJSON(before, now) {
			return fmt.Errorf("leave entry %q as it was, or give it another name", now.Name)
		}
		c.Entries[folder] = before
	}
	if old.Entries = c.Entries; !sameJSON(old, c) {
		return errors.New("the same images, preset, cost, seeds and set")
	}
	return nil
}

// sameJSON says whether two values have the same form in JSON.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func writeJSON(name string, v any) error {
	return state.WriteFileAtomic(name, func(w io.Writer) error {
		j := json.NewEncoder(w)
		j.SetIndent("", "  ")
		return j.Encode(v)
	})
}
