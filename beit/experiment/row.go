package experiment

// Row is a measured trial: its figures with one seed, or their means over several.
type Row struct {
	Table   string `json:"table"`
	Setting string `json:"setting"`
	Figures
	SD    *Figures      `json:"sd,omitempty"`    // standard deviations over the seeds, estimated from them; nil for fewer than two
	Seeds []SeedFigures `json:"seeds,omitempty"` // what the means are of; nil where Comparison.Seeds is
}

// SeedFigures are the figures of a trial with one seed.
type SeedFigures struct {
	Seed int64 `json:"seed"`
	Figures
}

// Figures are what is measured of a trial. Those that it does not have are nil.
type Figures struct {
	Reconstruction *float64 `json:"reconstruction"` // of the validation images
	CodesUsed      *float64 `json:"codes_used"`
	Perplexity     *float64 `json:"perplexity"`
	LinearCLS      *float64 `json:"linear_cls"` // top-1 of probes
	LinearMean     *float64 `json:"linear_mean"`
	LinearGrid     *float64 `json:"linear_grid"`
	KNNCLS         *float64 `json:"knn_cls"`
	KNNMean        *float64 `json:"knn_mean"`
	KNNGrid        *float64 `json:"knn_grid"`
	Finetuned      *float64 `json:"finetuned"` // top-1 of the model after the last epoch
	Seconds        *float64 `json:"seconds"`   // of training, runs that several rows share included
}

// summarize makes the row's figures the means of those of its seeds.
func (r *Row) summarize() {
	if len(r.Seeds) > 1 {
		r.SD = new(Figures)
	}
	for _, c := range columns {
		mean, sd := meanAndSpread(r.Seeds, func(s SeedFigures) *float64 { return *c.of(&s.Figures) })
		*c.of(&r.Figures) = mean
		if r.SD != nil {
			*c.of(r.SD) = sd
		}
	}
}
