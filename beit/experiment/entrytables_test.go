package experiment

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/probe"
)

// standing is one of three entries, the last without fine-tuning.
func standing() *Standing {
	none, half, third := []string{}, 0.5, 1.0/3
	s := &Standing{Data: "images", Preset: "small32", Seeds: []int64{1, 2}, Unit: unitFLOPs, Budget: 3e13}
	for _, r := range []EntryRow{
		{Entry: Entry{Name: "a|b", Finetune: &none}, Alternatives: 3, Chosen: "finetune:train.lr=1e-3", Seeds: []SeedResult{
			{Seed: 1, Cost: 2.9e13, Top1: &half, Right: "0101"}, {Seed: 2, Cost: 2.8e13, Top1: &half, Right: "0011"},
		}},
		{Entry: Entry{Name: "<script>\u202e", Tokenizer: &none, Finetune: &none}, Alternatives: 1, Outside: []string{"<runs>"}, Seeds: []SeedResult{
			{Seed: 1, Cost: 2.9e13, Top1: &third, Right: "-001", Linear: map[probe.Pool]float64{"cls": 0.25}},
			{Seed: 2, Cost: 2.9e13, Top1: &half, Right: "0011", Linear: map[probe.Pool]float64{"cls": 0.5}},
		}},
		{Entry: Entry{Name: "probes", Tokenizer: &none}, Alternatives: 1, Seeds: []SeedResult{{Seed: 1, Cost: 1}, {Seed: 2, Cost: 3}}},
	} {
		r.summarize()
		s.add(r)
	}
	return s
}

func TestStandingTables(t *testing.T) {
	s := standing()
	d := s.Rows[1].Difference
	if d == nil || d.Images != 3 || d.Mean != -1.0/6 || s.Rows[2].Difference != nil || s.Rows[0].Difference != nil {
		t.Errorf("differences %+v", d)
	}
	want := `| entry | alternatives | flops planned | flops | fine-tuned % | difference | 95 % interval | verdict |
|---|---|---|---|---|---|---|---|
| a\|b | 3 | 3e+13 | 2.85e+13 | 50.0 ± 0.0 |  |  |  |
| <script>\u202e | 1 | 3e+13 | 2.9e+13 | 41.7 ± 11.8 | -16.67 | -66.67 … +0.00 | not resolved |
| probes | 1 | 3e+13 | 2 |  |  |  |  |

| before fine-tuning | linear cls % | linear mean % | linear grid % | 20-NN cls % | 20-NN mean % | 20-NN grid % |
|---|---|---|---|---|---|---|
| <script>\u202e | 37.5 |  |  |  |  |  |

<script>\u202e builds on <runs>, whose training is not in its cost.

The entries were tried with different numbers of alternatives: more of them are an advantage. Sweeps are in no cost.

`
	if d := cmp.Diff(want, s.Markdown()); d != "" {
		t.Error(d)
	}
	one := *s
	if one.Seeds = []int64{1}; !strings.Contains(one.Markdown(), "There is one seed") {
		t.Errorf("with one seed:\n%s", one.Markdown())
	}
	dir := t.TempDir()
	if err := s.write(dir, []string{"a.png", "b,c.png", "d.png", "e.png"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		CorrectFile: "image,\"a|b, seed 1\",\"a|b, seed 2\",\"<script>\u202e, seed 1\",\"<script>\u202e, seed 2\"\na.png,0,0,,0\n\"b,c.png\",1,0,0,0\nd.png,0,1,0,1\ne.png,1,1,1,1\n",
		CSVFile:     "entry,alternatives,chosen,unit,planned,cost,seeds,finetuned,spread,difference,low,high,verdict,linear_cls,linear_mean,linear_grid,knn_cls,knn_mean,knn_grid\na|b,3,finetune:train.lr=1e-3,flops,3e+13,2.85e+13,2,0.5,0,,,,,,,,,,\n",
	} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(text), want) {
			t.Errorf("%s, error %v:\n%s", name, err, text)
		}
	}
}

// The page loads nothing, runs the script of all pages alone, and shows names as they are, what cannot be seen included.
func TestEntriesPage(t *testing.T) {
	name := filepath.Join(t.TempDir(), PageFile)
	if err := standing().writePage(name); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if found := regexp.MustCompile(`(?i)https?:|src=|href="[^#]|url\(|@import|\x{202e}`).FindString(strings.Replace(page, `href="data:,"`, "", 1)); found != "" {
		t.Errorf("the page has %q", found)
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("the page has %d scripts", n)
	}
	for _, want := range []string{`&lt;script&gt;\u202e`, "color-scheme: light dark", "<svg", ">-16.67<", "not resolved", "&lt;runs&gt;", "seeds: 1, 2", "train.lr=1e-3"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if n := strings.Count(page, "<circle"); n != 1 {
		t.Errorf("%d differences are drawn", n)
	}
	var empty Standing
	if empty.draw() != nil {
		t.Error("a drawing of nothing")
	}
	for v, want := range map[float64]float64{0: 1e-3, 0.0011: 0.002, 0.005: 0.005, 0.006: 0.01, 0.3: 0.5, 0.11: 0.2} {
		if got := niceStep(v); got < want*(1-1e-9) || got > want*(1+1e-9) {
			t.Errorf("a step for %g is %g, want %g", v, got, want)
		}
	}
}
