package data

import (
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
