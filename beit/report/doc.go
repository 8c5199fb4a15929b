// Package report draws how a run went.
//
//	records, err := train.ReadMetrics("runs/tokenizer")
//	if err != nil {
//		return err
//	}
//	err = report.Curves("curves.png", records)   // a picture
//	err = report.HTML("report.html", cfg, records) // a page, with curves, figures and the configuration cfg
//
// A run without a single figure is an error, and so is a file that cannot be written; an existing file is replaced as a whole.
// Functions may run at the same time.
package report
