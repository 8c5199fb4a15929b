package mappage

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"github.com/gobeit/gobeit/beit/explore"
	"github.com/gobeit/gobeit/beit/report"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// List is a file with a line for each image, which package data reads as a list.
type List struct {
	File, What string
	Lines      int

	columns []string // behind file, label and split
	rows    []row
}

// row is a line of a list: an image, and the values of the list's own columns.
type row struct {
	image  int
	values []string
}

func (l *List) add(image int, values ...string) {
	l.rows = append(l.rows, row{image, values})
	l.Lines = len(l.rows)
}

// Lists are the files that a map is exported as.
func (p *Content) lists() []*List {
	m := p.Map
	duplicates := &List{File: "duplicates.csv", What: "near-duplicates, group by group", columns: []string{"group", "is", "of"}}
	for g, group := range m.Groups {
		for _, member := range p.members(group) {
			of := ""
			if member.of >= 0 {
				of = p.Names[member.of]
			}
			duplicates.add(member.image, strconv.Itoa(g+1), string(member.relation), of)
		}
	}
	leaks := &List{File: "leaks.csv", What: "training images with a near-duplicate among the validation images", columns: []string{"is", "of", "cosine"}}
	for _, pair := range m.Leaks {
		train, val := pair.A, pair.B
		if m.Val[train] {
			train, val = val, train
		}
		leaks.add(train, string(pair.Relation), p.Names[val], short(pair.Cosine))
	}
	labels := &List{File: "label-errors.csv", What: "labels that are probably wrong, the most probable first", columns: []string{"suggested", "votes", "own votes"}}
	for _, s := range m.Suspects {
		labels.add(s.Image, m.Classes[s.Suggested], short(s.Votes), short(s.Own))
	}
	outliers := &List{File: "outliers.csv", What: "images far from all others, the farthest first", columns: []string{"ratio", "distance"}}
	for _, o := range m.Outliers {
		outliers.add(o.Image, short(o.Local), short(o.Distance))
	}
	clusters := &List{File: "clusters.csv", What: "all images by cluster, those nearest to the centre first", columns: []string{"cluster", "cosine"}}
	for c, members := range m.Clusters.Members {
		for _, i := range members {
			clusters.add(i, strconv.Itoa(c+1), short(float64(m.Clusters.Cosine[i])))
		}
	}
	subset := &List{File: "subset.csv", What: "a diverse subset of the training images, in the order of choice"}
	for _, i := range m.Subset {
		subset.add(i)
	}
	unique := &List{File: "without-duplicates.csv", What: "all images but copies of others, told by their pixels; where both parts have one, the validation image stays"}
	copies := m.Copies()
	for i := range p.Names {
		if !copies[i] {
			unique.add(i)
		}
	}
	list := []*List{duplicates, leaks, labels, outliers, clusters, subset, unique}
	return list
}

// short is a number with few digits, empty for one that is none.
func short(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// write writes the list below dir.
func (l *List) write(dir string, p *Content) error {
	return report.WriteFile(filepath.Join(dir, l.File), func(w io.Writer) error {
		out := csv.NewWriter(w)
		head := []string{"file"}
		if len(p.Map.Classes) > 0 {
			head = append(head, "label")
		}
		head = append(append(head, "split"), l.columns...)
		if err := out.Write(head); err != nil {
			return err
		}
		for _, row := range l.rows {
			line := []string{p.Names[row.image]}
			if len(p.Map.Classes) > 0 {
				line = append(line, p.class(row.image))
			}
			line = append(append(line, p.part(row.image)), row.values...)
			if err := out.Write(line); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
}

// mapJSON is the map in JSON.
type mapJSON struct {
	Facts      map[string]string `json:"facts"`
	Threshold  float64           `json:"alike_threshold"`
	Agreement  *float64          `json:"label_agreement,omitempty"`
	Images     []imageJSON       `json:"images"`
	Pairs      []pairJSON        `json:"near_duplicates"`
	Leaks      []pairJSON        `json:"leaks"`
	Outliers   []outlierJSON     `json:"outliers"`
	Suspects   []suspectJSON     `json:"label_errors"`
	Subset     []string          `json:"subset"`
	Radius     float64           `json:"subset_radius_cosine"`
	Unreadable int               `json:"unreadable"`
}

type imageJSON struct {
	Name    string     `json:"name"`
	Part    string     `json:"split"`
	Class   string     `json:"label,omitempty"`
	Cluster int        `json:"cluster"`
	TSNE    [2]float32 `json:"tsne"`
	PCA     [2]float32 `json:"pca"`
}

type pairJSON struct {
	A        string           `json:"a"`
	B        string           `json:"b"`
	Relation explore.Relation `json:"relation"`
	Cosine   *float64         `json:"cosine"` // null: they are no near neighbours
}

type outlierJSON struct {
	Name     string  `json:"name"`
	Ratio    float64 `json:"ratio"`
	Distance float64 `json:"distance"`
}

type suspectJSON struct {
	Name      string  `json:"name"`
	Label     string  `json:"label"`
	Suggested string  `json:"suggested"`
	Votes     float64 `json:"votes"`
	Own       float64 `json:"own_votes"`
}

// writeJSON writes the map below dir.
func (p *Content) writeJSON(dir string) error {
	m := p.Map
	facts := map[string]string{}
	for _, f := range p.facts() {
		facts[f.Name] = f.Value
	}
	out := mapJSON{
		Facts: facts, Threshold: m.Threshold, Radius: m.Radius, Unreadable: p.Unreadable,
		Images: []imageJSON{}, Outliers: []outlierJSON{}, Suspects: []suspectJSON{}, Subset: []string{},
	}
	name := func(i int) string { return plain.Name(p.Names[i]) }
	pairs := func(list []explore.Pair) []pairJSON {
		written := []pairJSON{}
		for _, q := range list {
			one := pairJSON{A: name(q.A), B: name(q.B), Relation: q.Relation}
			if !math.IsNaN(q.Cosine) {
				one.Cosine = &q.Cosine
			}
			written = append(written, one)
		}
		return written
	}
	out.Pairs, out.Leaks = pairs(m.Pairs), pairs(m.Leaks)
	if len(m.Classes) > 0 {
		out.Agreement = &m.Agreement
	}
	tsne, pca := m.TSNE.Float32s(), m.PCA.Float32s()
	for i := range p.Names {
		out.Images = append(out.Images, imageJSON{
			name(i), p.part(i), p.class(i), m.Clusters.Of[i] + 1, [2]float32(tsne[2*i : 2*i+2]), [2]float32(pca[2*i : 2*i+2]),
		})
	}
	for _, o := range m.Outliers {
		out.Outliers = append(out.Outliers, outlierJSON{name(o.Image), o.Local, o.Distance})
	}
	for _, s := range m.Suspects {
		out.Suspects = append(out.Suspects, suspectJSON{name(s.Image), m.Classes[s.Label], m.Classes[s.Suggested], s.Votes, s.Own})
	}
	for _, i := range m.Subset {
		out.Subset = append(out.Subset, name(i))
	}
	content, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return fmt.Errorf("map: %w", err)
	}
	return report.WriteFile(filepath.Join(dir, "map.json"), func(w io.Writer) error {
		_, err := io.WriteString(w, plain.JSON(string(content))+"\n")
		return err
	})
}
