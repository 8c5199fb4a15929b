package data

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// opened opens images in memory.
func opened(t *testing.T, names ...string) *Source {
	t.Helper()
	src, err := OpenFS(tree(names...), "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestJoin(t *testing.T) {
	one := opened(t, "train/b/1.png", "train/c/1.png", "val/b/1.png")
	two := opened(t, "a/1.png", "b/1.png")
	src := Join([]string{"/x/set", "/y/set"}, []*Source{one, two})
	if d := cmp.Diff([]string{"set/train/b/1.png b", "set/train/c/1.png c", "set#2/a/1.png a", "set#2/b/1.png b"}, listing(src.Train)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, src.Train.Classes()); d != "" {
		t.Errorf("classes (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"set/val/b/1.png b"}, listing(src.Val)); d != "" {
		t.Errorf("validation (-want +got):\n%s", d)
	}
	readAll(t, src)
	for i := range src.Train.Len() {
		if s, err := src.Train.Sample(i); err != nil || s.Label != src.Train.Label(i) {
			t.Errorf("sample %d has label %d, want %d: %v", i, s.Label, src.Train.Label(i), err)
		}
	}
	flat := Join([]string{"x.tar", "y.tar"}, []*Source{one, opened(t, "1.png", "2.png")})
	if flat.Train.Classes() != nil || flat.Train.Label(0) != -1 || !strings.HasPrefix(WhyUnlabelled(flat.Train), "y.tar: ") {
		t.Errorf("with unlabelled images: classes %v, %s", flat.Train.Classes(), WhyUnlabelled(flat.Train))
	}
	if s, err := flat.Train.Sample(0); err != nil || s.Label != -1 {
		t.Errorf("sample with label %d: %v", s.Label, err)
	}
	if Join([]string{"x"}, []*Source{one}) != one {
		t.Error("a single source does not stay as it is")
	}
}

// What is told of a source is told of it among others too, and beside other validation images.
func TestJoinTells(t *testing.T) {
	one := opened(t, "1.png", "2.png")
	table, err := OpenFS(with("labels.csv", "x", "train/1.png", "val/2.png", "val/3.png"), "set", DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got := Join([]string{"one", "two"}, []*Source{one, table}).Table; got != "two/labels.csv" {
		t.Errorf("table %q", got)
	}
	both := table.WithVal(one)
	if both.Table != "labels.csv" || one.WithVal(table).Table != "labels.csv" {
		t.Errorf("table %q, the other way around %q", both.Table, one.WithVal(table).Table)
	}
	if d := cmp.Diff([]string{"1.png", "2.png"}, listing(both.Val)); d != "" {
		t.Errorf("validation (-want +got):\n%s", d)
	}
	lines := strings.Join(NewSurvey(both, both.Train, both.Val).Lines(false), "\n")
	if want := "2 validation images in whose place others are named"; !strings.Contains(lines, want) {
		t.Errorf("%s\nwant %s", lines, want)
	}
}

// Images of another part than the first whose class the training images do not have leave all without labels.
func TestJoinOfOtherClasses(t *testing.T) {
	one, two := opened(t, "train/a/1.png", "train/b/1.png", "val/a/1.png"), opened(t, "train/a/1.png", "train/b/1.png", "val/b/1.png")
	two.Val = opened(t, "c/1.png", "a/1.png").Train
	src := Join([]string{"x", "y"}, []*Source{one, two})
	if src.Val.Classes() != nil || src.Val.Label(0) != -1 || !strings.Contains(WhyUnlabelled(src.Val), `y: class "c" has no counterpart`) {
		t.Errorf("classes %v, label %d: %s", src.Val.Classes(), src.Val.Label(0), WhyUnlabelled(src.Val))
	}
}

func TestJoinOfNone(t *testing.T) {
	if _, err := OpenAll(nil, func(string) (*Source, error) { return nil, nil }); err == nil || !strings.Contains(err.Error(), "no images are named") {
		t.Errorf("error %v", err)
	}
	for _, names := range [][]string{nil, {"x"}} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "data: Join: ") {
					t.Errorf("%d names: panic %s", len(names), text)
				}
			}()
			Join(names, nil)
		}()
	}
}

// Sources with the same classes in an order of their own keep it.
func TestJoinKeepsOrder(t *testing.T) {
	part := func() *Source {
		src, err := openTable(tree("1.png", "2.png"), "l.csv", "file,label\n1.png,10\n2.png,9\n")
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	src := Join([]string{"x", "y"}, []*Source{part(), part()})
	if d := cmp.Diff([]string{"9", "10"}, src.Train.Classes()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestContentsOf(t *testing.T) {
	src := opened(t, "a/1.png", "b/1.png")
	c := ContentsOf(src.Train)
	if c.Labels == "" || c.Sizes == "" || c.Times == "" {
		t.Errorf("%+v", c)
	}
	if got := ContentsOf(Cached(Subset(src.Train, []int{0, 1}), 1)); got != c {
		t.Errorf("through others: %+v, want %+v", got, c)
	}
	if got := ContentsOf(Procedural(4, 16, 1)); got.Labels == "" || got.Sizes != "" {
		t.Errorf("synthetic images: %+v", got)
	}
	for want, now := range map[string]Contents{
		"": c, "labels of images": {"x", c.Sizes, c.Times}, "files of images: their sizes differ": {c.Labels, "x", "x"}, "labels and files of images": {"x", "x", "x"},
		"files of images: they were written anew, with the same sizes": {c.Labels, c.Sizes, "x"},
	} {
		if got := now.Changed(c); got != want {
			t.Errorf("%+v: %q, want %q", now, got, want)
		}
	}
	if got := c.Changed(Contents{}); got != "" {
		t.Errorf("of an older version: %q", got)
	}
}
