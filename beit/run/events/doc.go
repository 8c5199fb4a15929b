// Package events writes the records of a run in the form that TensorBoard reads.
//
// The file events.out.tfevents.beit in a run folder holds the records of metrics.jsonl with their own times. It is replaced when a run begins
// or is resumed, so it never has a record twice:
//
//	w, err := events.Open(dir, known, events.DefaultTag, state.WriteFileAtomic)
//	if err != nil {
//		return err
//	}
//	defer w.Close()
//	err = w.Append(rec)
//
// The known records come from run.OpenMetrics. A TagFunc names the curves.
//
// Nothing in gobeit reads the file. Its records have the checksums of TensorFlow's TFRecord, which TensorBoard compares.
//
// # Errors
//
// Errors name the file and wrap their cause, such as a full disk.
//
// # Concurrency
//
// A Writer belongs to one goroutine. TensorBoard may read the file meanwhile.
package events
