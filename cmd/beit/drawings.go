package main

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/report/patches"
)

// Of "beit tokenizer encode --draw": the side of an image in pixels, at least, the predicted codes that are shown, and the masked patches in a row.
const (
	drawSide      = 640
	drawnGuesses  = 5
	guessesAcross = 3
)

// sections are the drawings of an image: its codes, how near they are, and what a backbone predicts.
func (d *drawer) sections(img *data.RGB, title string) ([]patches.Section, error) {
	codes, err := d.codes(img)
	if err != nil {
		return nil, err
	}
	codes.Title = title
	if d.predictor == nil {
		return []patches.Section{codes}, nil
	}
	predicted, err := d.predictions(img)
	return append([]patches.Section{codes}, predicted...), err
}

// codes are the drawings of what the tokenizer makes of an image.
func (d *drawer) codes(img *data.RGB) (s patches.Section, err error) {
	seen, err := d.tok.Seen(img)
	if err != nil {
		return s, err
	}
	codes, err := d.tok.Encode(img)
	if err != nil {
		return s, err
	}
	grid, whole := codes.Rows, patches.Scale(seen, drawSide)
	side := whole.Rect.Dx()
	s = patches.Section{Across: 2, Panels: []patches.Panel{
		{Title: "what the tokenizer sees", Image: whole},
		{Title: "codes", Image: patches.Codes(seen, grid, codes.Index, drawSide)},
		patches.Values("cosine of the encoder's output and the code", grid, codes.Cosine, patches.RangeOf(codes.Cosine), side),
	}}
	if d.teacher == nil {
		return s, nil
	}
	cosines, err := d.teacher.Cosines(img)
	if err != nil {
		return s, err
	}
	name := fmt.Sprintf("cosine of the decoder's output and the teacher's feature (%s)", d.teacher.Name())
	s.Panels = append(s.Panels, patches.Values(name, grid, cosines, patches.RangeOf(cosines), side))
	return s, nil
}

// predictions are the drawings of what the backbone makes of masked patches.
func (d *drawer) predictions(img *data.RGB) ([]patches.Section, error) {
	seen, err := d.predictor.Seen(img)
	if err != nil {
		return nil, err
	}
	p, err := d.predictor.Predict(img, d.predictor.Mask(d.seed), drawnGuesses)
	if err != nil {
		return nil, err
	}
	with, right := make([]*data.RGB, len(p.Mask)), 0
	rows := patches.Section{Title: fmt.Sprintf("masked patches: the patch, its code, and the %d likeliest codes", drawnGuesses), Across: guessesAcross}
	for _, m := range p.Patches {
		var guesses []patches.Guess
		for _, g := range m.Likeliest {
			guesses = append(guesses, d.guess(g))
		}
		with[m.Row*p.Cols+m.Col] = guesses[0].Patch
		if m.Likeliest[0].Code == m.True.Code {
			right++
		}
		rows.Panels = append(rows.Panels, patches.Panel{
			Title: fmt.Sprintf("row %d, column %d", m.Row, m.Col),
			Image: patches.Guesses(infer.PatchOf(seen, p.Rows, m.Row, m.Col), d.guess(m.True), guesses),
		})
	}
	return []patches.Section{{
		Title: fmt.Sprintf("prediction: the likeliest code is right for %d of %d masked patches", right, len(p.Patches)),
		Panels: []patches.Panel{
			{Title: "what the backbone sees", Image: patches.Masked(seen, p.Rows, p.Mask, drawSide)},
			{Title: "masked patches as examples of the likeliest codes", Image: patches.Filled(seen, p.Rows, p.Mask, with, drawSide)},
		},
	}, rows}, nil
}

// guess is a guess with the patch that shows its code.
func (d *drawer) guess(g infer.Guess) patches.Guess {
	return patches.Guess{Code: g.Code, Probability: float64(g.Probability), Patch: d.examples[g.Code].Patch}
}
