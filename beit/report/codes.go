package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/page"
)

var codesBody = page.Template("codes", `<p>{{text .Told}}:</p>
{{template "facts" .Facts}}
{{template "charts" .Use}}`)

// codes says how a tokenizer uses its codes.
func (r *Run) codes(ctx context.Context, v View, ds data.Dataset, told string) (part, error) {
	t, err := infer.OpenTokenizer(r.Dir, infer.Options{Device: v.Device})
	if err != nil {
		return part{}, err
	}
	defer t.Close()
	counts := make([]int, t.Vocabulary())
	for item, err := range t.EncodeDataset(ctx, ds, nil) {
		if err != nil {
			return part{}, err
		}
		for _, code := range item.Value.Index {
			counts[code]++
		}
	}
	use := beit.UsageOfCounts(counts)
	content := struct {
		Told  string
		Facts []page.Fact
		Use   page.Charts
	}{Told: told, Use: page.Charts{Axes: []string{"codes, the most frequent first"}, Charts: []page.Chart{usage(counts)}}}
	for _, f := range [][2]string{
		{"codes used", fmt.Sprintf("%d of %d", use.Used, use.Codes)}, {"perplexity", fmt.Sprintf("%.4g", use.Perplexity)},
		{"entropy", fmt.Sprintf("%.4g nat", use.Entropy)}, {"share of the most frequent code", fmt.Sprintf("%.3g %%", 100*use.TopShare)},
	} {
		content.Facts = append(content.Facts, page.Fact{Name: f[0], Value: f[1]})
	}
	body, err := page.Execute(codesBody, content)
	return part{"predictions", "Codes", body}, err
}

// usage is how often codes occur, the most frequent first.
func usage(counts []int) page.Chart {
	sorted, places := make([]float64, len(counts)), make([]float64, len(counts))
	for i, n := range counts {
		sorted[i], places[i] = float64(n), float64(i+1)
	}
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	return page.Chart{Title: "How often each code occurs", Unit: "patches", FromZero: true, Series: []page.Series{{Name: "patches", X: [][]float64{places}, Y: sorted}}}
}
