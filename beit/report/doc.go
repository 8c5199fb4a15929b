// Package report plots the metrics of runs, writes HTML reports and draws contact sheets of images.
//
//	records, err := run.ReadMetrics("runs/tokenizer")
//	if err != nil {
//		return err
//	}
//	err = report.Curves("curves.png", m.AllMetrics(), records) // of the method m
//	err = report.HTML("report.html", m, cfg, records)          // a page with curves, tables and the configuration cfg
//	err = report.Sheet("sheet.png", tiles)                     // images with lines of text below them
//
// The method's table of metrics says which metrics share a panel, and how they are labelled.
//
// # Errors
//
// A run without any metric is an error, and so is a file that cannot be written. An existing file is replaced only by a complete one.
//
// # Concurrency
//
// Functions may run at the same time.
package report
