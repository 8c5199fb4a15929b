// Package report draws pictures and pages: how a run went, and contact sheets of pictures.
//
//	records, err := train.ReadMetrics("runs/tokenizer")
//	if err != nil {
//		return err
//	}
//	err = report.Curves("curves.png", records)     // a picture
//	err = report.HTML("report.html", cfg, records) // a page, with curves, figures and the configuration cfg
//	err = report.Sheet("sheet.png", tiles)         // pictures with lines of text below them
//
// A run without a single figure is an error, and so is a file that cannot be written; an existing file is replaced as a whole.
// Functions may run at the same time.
package report
