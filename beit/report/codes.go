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
	var all []int32
	for item, err := range t.EncodeDataset(ctx, ds, nil) {
		if err != nil {
			return part{}, err
		}
		all = append(all, item.Value.Index...)
	}
	use := beit.UsageOf(all, t.Vocabulary())
	content := struct {
		Told  string
		Facts []page.Fact
		Use   page.Charts
	}{Told: told, Use: page.Charts{Axes: []string{"codes, the most frequent first"}, Charts: []page.Chart{usage(all, t.Vocabulary())}}}
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
func usage(codes []int32, k int) page.Chart {
	counts, places := make([]float64, k), make([]float64, k)
	for _, c := range codes {
		counts[c]++
	}
	slices.SortFunc(counts, func(a, b float64) int { return cmp.Compare(b, a) })
	for i := range places {
		places[i] = float64(i + 1)
	}
	return page.Chart{Title: "How often each code occurs", Unit: "patches", FromZero: true, Series: []page.Series{{Name: "patches", X: [][]float64{places}, Y: counts}}}
}
