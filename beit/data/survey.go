package data

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/nn/state/filekind"
)

// Survey is what there is to say about images before they are used.
type Survey struct {
	Train, Val Part
	Table      string    // a table beside unlabelled images; empty for none
	Unused     []string  // folders and images beside those of both parts, which are not read
	LeftOut    []LeftOut // files that are not read
	Masks      int       // classes of masks; 0 without masks
	Looked     int       // training images that were looked at
	Small      Size      // the smallest of them, by number of pixels
	Large      Size      // the largest
	ShortSide  int       // the median of their shorter sides
	Turned     int       // how many of them have an EXIF orientation other than upright

	sides []int // the shorter ones
}

// Part says what the training or validation images are.
type Part struct {
	Dir     string // their folder in the source; may be empty
	Images  int
	Classes []string
	Count   []int  // images of each class
	Why     string // there are no labels
}

// Size is that of an image.
type Size struct{ W, H int }

func (s Size) String() string { return fmt.Sprintf("%dx%d", s.W, s.H) }

// surveyed is how many images a survey looks at, and headBytes how much of each: nearly all have their size and orientation there.
const (
	surveyed  = 24
	headBytes = 1 << 20
)

// NewSurvey looks at the images of a source. train and val are what is used of it; val may be nil.
func NewSurvey(src *Source, train, val Dataset) *Survey {
	s := &Survey{Train: partOf(train, src.TrainDir), Table: src.Table, Unused: src.Unused, LeftOut: src.LeftOut}
	if val != nil {
		s.Val = partOf(val, src.ValDir)
	}
	if c, ok := MaskClassesOf(train); ok {
		s.Masks = len(c.Names)
	}
	n := min(train.Len(), surveyed)
	for k := range n {
		s.look(train, int(int64(k)*int64(train.Len())/int64(n)))
	}
	if s.Looked > 0 {
		slices.Sort(s.sides)
		s.ShortSide = s.sides[len(s.sides)/2]
	}
	return s
}

func partOf(ds Dataset, dir string) Part {
	p := Part{Dir: dir, Images: ds.Len(), Classes: ds.Classes()}
	if len(p.Classes) == 0 {
		p.Why = WhyUnlabelled(ds)
		return p
	}
	p.Count = make([]int, len(p.Classes))
	for i := range ds.Len() {
		p.Count[ds.Label(i)]++
	}
	return p
}

// look looks at one image. What cannot be read is told when it is used.
func (s *Survey) look(ds Dataset, i int) {
	f, own := fileAt(ds, i)
	if f == nil {
		return
	}
	file, err := openRegular(f.fsys, f.paths[own])
	if err != nil {
		return
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, headBytes))
	if err != nil {
		return
	}
	size, turned, err := headerOf(head)
	if err != nil {
		return
	}
	if turned {
		s.Turned++
	}
	pixels := func(s Size) int64 { return int64(s.W) * int64(s.H) }
	if s.Looked == 0 || pixels(size) < pixels(s.Small) {
		s.Small = size
	}
	if pixels(size) > pixels(s.Large) {
		s.Large = size
	}
	s.sides = append(s.sides, min(size.W, size.H))
	s.Looked++
}

// headerOf returns what the header of an image says: its size, and whether its orientation is another than upright. A panic of a decoder is an error,
// as in DecodeImage.
func headerOf(head []byte) (size Size, turned bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoder failed: %v", r)
		}
	}()
	f, ok := formats[filekind.Of(head).Image]
	if !ok {
		return size, false, errors.New("no image")
	}
	size.W, size.H, err = f.Size(head)
	if f.Orientation != nil {
		turned = f.Orientation(head) > 1
	}
	return size, turned, err
}

// Lines says in a few lines what there is. transposed says whether EXIF orientation is followed.
func (s *Survey) Lines(transposed bool) []string {
	text := fmt.Sprintf("images: %s (%s)", s.Train.text(""), s.classes())
	if s.Val.Images > 0 {
		text = fmt.Sprintf("images: %s (%s), %s", s.Train.text(" for training"), s.classes(), s.Val.text(" for validation"))
	}
	lines := []string{text}
	if s.Looked > 0 {
		lines = append(lines, s.sizes(transposed))
	}
	if len(s.Train.Classes) > 0 && s.Val.Images > 0 && len(s.Val.Classes) == 0 {
		lines = append(lines, "the validation images are taken without labels: "+s.Val.Why)
	}
	if s.Table != "" {
		lines = append(lines, fmt.Sprintf("if the table %q has labels, name it in place of its folder", s.Table))
	}
	if len(s.Unused) > 0 {
		lines = append(lines, fmt.Sprintf("not used, beside the folders of images: %s", few(s.Unused)))
	}
	if len(s.LeftOut) > 0 && !s.Warns() {
		lines = append(lines, s.LeftOutText())
	}
	return lines
}

// Warns reports whether images, or what may have been meant as some, were left out.
func (s *Survey) Warns() bool { return len(s.LeftOut) > 0 && s.LeftOut[0].Warn }

// LeftOutText says in one line how many files there are, and which of them are not read.
func (s *Survey) LeftOutText() string {
	return leftText(s.Train.Images+s.Val.Images, s.LeftOut)
}

func (p Part) text(purpose string) string {
	text := fmt.Sprint(p.Images, purpose)
	if p.Dir != "" {
		text += fmt.Sprintf(" in %q", p.Dir)
	}
	return text
}

// fewClasses is how many classes are told by name.
const fewClasses = 6

// classes says which classes the training images have.
func (s *Survey) classes() string {
	p := s.Train
	n := len(p.Classes)
	switch {
	case s.Masks > 0:
		return fmt.Sprintf("masks of %d classes", s.Masks)
	case n == 0:
		return "no labels"
	case n <= fewClasses:
		var each []string
		for i, name := range p.Classes {
			each = append(each, fmt.Sprintf("%d of %q", p.Count[i], name))
		}
		return strings.Join(each, ", ")
	}
	return fmt.Sprintf("%d classes of %d to %d", n, slices.Min(p.Count), slices.Max(p.Count))
}

func (s *Survey) sizes(transposed bool) string {
	text := fmt.Sprintf("sizes of %d looked at: %v", s.Looked, s.Small)
	if s.Small != s.Large {
		text += fmt.Sprintf(" to %v", s.Large)
	}
	switch {
	case s.Turned == 0:
	case transposed:
		text += fmt.Sprintf("; %d of them with an EXIF orientation, which is followed", s.Turned)
	default:
		text += fmt.Sprintf("; %d of them with an EXIF orientation, which is not followed: they lie on a side or upside down", s.Turned)
	}
	return text
}

// few names some of a list.
func few(list []string) string {
	const most = 4
	var names []string
	for _, name := range list[:min(most, len(list))] {
		names = append(names, fmt.Sprintf("%q", name))
	}
	if len(list) > most {
		names = append(names, fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(names, ", ")
}
