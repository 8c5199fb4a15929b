package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/page"
)

// Limits of what is shown of a classifier.
const (
	worstMistakes = 12
	matrixClasses = 30 // up to which the whole confusion matrix is shown
	worstPairs    = 20
)

var classesBody = page.Template("classes", `<p>{{text .Told}}, {{.Right}} are right ({{printf "%.1f" .Share}} %).</p>
{{with .Matrix}}<p>In the confusion matrix, rows are the classes of the images, and columns those that the classifier says.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table class="matrix"><caption>Confusion matrix</caption>
<thead><tr><th scope="col">class</th>{{range .}}<th scope="col"><span>{{text .Name}}</span></th>{{end}}</tr></thead>
<tbody>{{range $i, $row := .}}<tr><th scope="row">{{text $row.Name}}</th>{{range $j, $cell := $row.Cells}}<td class="number{{if eq $i $j}} diagonal{{end}}" style="--share: {{$cell.Percent}}%">{{if $cell.Count}}{{$cell.Count}}{{end}}</td>{{end}}</tr>
{{end}}</tbody></table></div>
{{end}}{{template "table" .Each}}
{{if .Pairs.Rows}}{{template "table" .Pairs}}{{end}}
{{with .Mistakes}}<h4>Worst mistakes</h4>
<p>Images of which the classifier is surest, and wrong.</p>
<div class="cards">{{range .}}<figure class="card"><img class="pixels" src="{{.Image}}" alt="{{text .Name}}">
<figcaption><strong>{{text .Said}}</strong> {{printf "%.0f" .Sure}} %, is {{text .Is}} ({{printf "%.0f" .Left}} %)<br><span class="quiet">{{text .Name}}</span></figcaption></figure>
{{end}}</div>{{end}}`)

// confusion counts what a classifier says of images.
type confusion struct {
	names        []string
	counts       map[pair]int // there may be tens of thousands of classes
	images, said []int        // by class: images of it, and of which the classifier says it
	mistakes     []mistake
}

// pair is the class of an image and the one that the classifier says.
type pair struct{ is, said int }

// mistake is an image of which the classifier is wrong.
type mistake struct {
	index      int
	Image      template.URL
	Name       string
	Is, Said   string
	Sure, Left float64 // what the classifier gives the class said, and the right one, in percent
}

// classes shows what a classifier makes of images.
func (r *Run) classes(ctx context.Context, v View, ds data.Dataset, told string) (part, error) {
	if len(ds.Classes()) == 0 {
		return part{}, errors.New("the images have no labels: " + data.WhyUnlabelled(ds))
	}
	t, err := infer.OpenClassifier(r.Dir, infer.Options{Device: v.Device})
	if err != nil {
		return part{}, err
	}
	defer t.Close()
	c, err := confuse(ctx, t, ds)
	if err != nil {
		return part{}, err
	}
	if err := c.show(ds); err != nil {
		return part{}, err
	}
	all, right := 0, 0
	for p, n := range c.counts {
		if all += n; p.is == p.said {
			right += n
		}
	}
	content := map[string]any{
		"Told": told, "Right": right, "Share": 100 * float64(right) / float64(max(all, 1)), "Each": c.each(), "Pairs": c.pairs(), "Mistakes": c.mistakes,
		"Matrix": c.matrix(),
	}
	body, err := page.Execute(classesBody, content)
	return part{"predictions", "Predictions", body}, err
}

// outputsOf are the outputs of a classifier that stand for the classes of images: those of their names, or all in their order.
func outputsOf(names, classes []string) ([]int, error) {
	list := make([]int, len(classes))
	for i, name := range classes {
		list[i] = slices.Index(names, name)
	}
	if slices.Contains(list, -1) {
		if len(names) != len(classes) {
			return nil, fmt.Errorf("the classes of the images are not the %d of the classifier", len(names))
		}
		for i := range list {
			list[i] = i
		}
	}
	return list, nil
}

// confuse shows a classifier images.
func confuse(ctx context.Context, t *infer.Classifier, ds data.Dataset) (*confusion, error) {
	c := &confusion{names: t.Names()}
	outputs, err := outputsOf(c.names, ds.Classes())
	if err != nil {
		return nil, err
	}
	c.counts, c.images, c.said = map[pair]int{}, make([]int, len(c.names)), make([]int, len(c.names))
	for item, err := range t.ClassifyDataset(ctx, ds, nil) {
		if err != nil {
			return nil, err
		}
		is, said := outputs[ds.Label(item.Index)], item.Value[0]
		c.images[is]++
		c.said[said.Index]++
		if c.counts[pair{is, said.Index}]++; is == said.Index {
			continue
		}
		right := item.Value[slices.IndexFunc(item.Value, func(p infer.Class) bool { return p.Index == is })]
		c.mistakes = append(c.mistakes, mistake{
			index: item.Index, Name: item.Name, Is: c.names[is], Said: said.Name, Sure: 100 * float64(said.Probability), Left: 100 * float64(right.Probability),
		})
	}
	return c, nil
}

// show keeps the worst mistakes, and puts in their images.
func (c *confusion) show(ds data.Dataset) error {
	slices.SortStableFunc(c.mistakes, func(a, b mistake) int { return cmp.Compare(b.Sure, a.Sure) })
	c.mistakes = c.mistakes[:min(len(c.mistakes), worstMistakes)]
	for i := range c.mistakes {
		m, err := data.Decoded(ds, c.mistakes[i].index)
		if err != nil {
			return err
		}
		if c.mistakes[i].Image, err = small(m); err != nil {
			return err
		}
	}
	return nil
}

// each is a table of the classes.
func (c *confusion) each() page.Table {
	t := page.Table{Caption: "Classes", Tall: len(c.names) > tallFrom, Columns: []page.Column{{Name: "class"}}}
	for _, name := range []string{"images", "right, %", "said, all", "said rightly, %"} {
		t.Columns = append(t.Columns, page.Column{Name: name, Number: true})
	}
	for i, name := range c.names {
		if images, said, right := c.images[i], c.said[i], c.counts[pair{i, i}]; images+said > 0 {
			t.Rows = append(t.Rows, []any{name, images, percent(right, images), said, percent(right, said)})
		}
	}
	return t
}

// percent is blank for a part of nothing.
func percent(n, of int) any {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", 100*float64(n)/float64(of))
}

// pairs is a table of what is confused most.
func (c *confusion) pairs() page.Table {
	t := page.Table{Caption: "Most confused", Columns: []page.Column{{Name: "class"}, {Name: "said"}, {Name: "images", Number: true}}}
	var wrong []pair
	for p := range c.counts {
		if p.is != p.said {
			wrong = append(wrong, p)
		}
	}
	slices.SortFunc(wrong, func(a, b pair) int {
		return cmp.Or(cmp.Compare(c.counts[b], c.counts[a]), cmp.Compare(a.is, b.is), cmp.Compare(a.said, b.said))
	})
	for _, p := range wrong[:min(len(wrong), worstPairs)] {
		t.Rows = append(t.Rows, []any{c.names[p.is], c.names[p.said], c.counts[p]})
	}
	return t
}

// matrixRow is a row of the confusion matrix.
type matrixRow struct {
	Name  string
	Cells []matrixCell
}

type matrixCell struct{ Count, Percent int } // Percent of the row

// matrix is the confusion matrix; nil where it has too many classes to be read.
func (c *confusion) matrix() (list []matrixRow) {
	if len(c.names) > matrixClasses {
		return nil
	}
	for is, name := range c.names {
		row := matrixRow{Name: name}
		for said := range c.names {
			n := c.counts[pair{is, said}]
			row.Cells = append(row.Cells, matrixCell{n, 100 * n / max(c.images[is], 1)})
		}
		list = append(list, row)
	}
	return list
}
