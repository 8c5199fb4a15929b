// Package report writes pages about runs, plots their metrics and draws contact sheets of images.
//
//	runs, err := report.ReadAll(ctx, []string{"runs/backbone"}) // the run, after those that it comes from
//	if err != nil {
//		return err
//	}
//	for _, r := range runs {
//		if err := r.Look(ctx, report.View{Images: 500}); err != nil { // opens images and the model; may be left out
//			return err
//		}
//	}
//	err = report.HTML("report.html", "backbone", runs...)
//	err = report.Curves("curves.png", r.Method.AllMetrics(), r.Records) // of one run
//	err = report.Sheet("sheet.png", tiles)                              // images with lines of text below them
//
// The method's table of metrics says which metrics share a panel, and how they are labelled. A page is a list of parts, each in a file of its own:
// summary.go lists them. Package page has their style. The package knows no method and no trainer, and writes nothing into a run folder but the file
// that it is given.
//
// # Errors
//
// Read and ReadAll fail where there is no run. What is damaged in a run folder, and images or models that cannot be opened, are told on the page
// instead. Curves of a run without any metric are an error. A file that cannot be written is an error; an existing one is replaced only by a
// complete one.
//
// # Concurrency
//
// Functions may be called by several goroutines. A Run belongs to one at a time.
package report
