// Package events writes the records of a run in the form that TensorBoard reads.
//
// The file events.out.tfevents.beit in a run folder holds what metrics.jsonl does, each record at its own time. It is written anew whenever a run
// begins or is resumed, so it never has a record twice:
//
//	w, err := events.Open(dir, known, events.DefaultTag, state.WriteFileAtomic)
//	if err != nil {
//		return err
//	}
//	defer w.Close()
//	err = w.Append(rec)
//
// The caller names the curves by a TagFunc. The records known come from run.OpenMetrics.
//
// Nothing in gobeit reads the file. Its records have the checksums of TensorFlow's TFRecord, by which TensorBoard notices damage.
//
// # Errors
//
// Errors name the file and wrap their cause, such as a full disk.
//
// # Concurrency
//
// A Writer belongs to one goroutine. TensorBoard may read the file meanwhile.
package events
