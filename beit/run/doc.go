// Package run reads and writes run folders: the files of a training run, which others may watch while it goes on. It knows no model and no
// method.
//
// A run folder holds:
//
//	config.toml                the configuration as it was resolved, with a checksum in the last line
//	metrics.jsonl              a Record in each line: losses, learning rate, speed; each line has a checksum
//	status.json                how far the run is, or how it ended; see Status
//	checkpoints/               step-000001000.safetensors and so on: the newest few, with checksums
//	best.safetensors           the best model so far, of methods that keep it
//	NAME.safetensors           the finished model, under the method's name for it
//	events.out.tfevents.beit   the records for TensorBoard; see package events
//	report.html                the report, at the end
//	.lock                      locked while a run is under way in the folder
//
// A run claims its folder, prepares it, writes the configuration and then appends records and writes checkpoints:
//
//	lock, err := run.Claim(dir)
//	if err != nil {
//		return err
//	}
//	defer lock.Close()
//	if err := run.Prepare(dir); err != nil {
//		return err
//	}
//	if err := run.WriteConfig(dir, text, state.WriteFileAtomic); err != nil {
//		return err
//	}
//	metrics, _, _, err := run.OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
//
// Readers need no lock: ReadStatus, ReadMetrics, Tail, Follower and OpenModel may be called at any time, from any process.
//
// # Checksums
//
// A single damaged bit in a file of this package is noticed, or it does not change what is read. ReadConfig says that the text changed. A damaged
// record or status is an error. In place of a damaged checkpoint the one before it is used. Files of older versions have no checksums and are
// accepted.
//
// The checksum of a record and of the status is the last key of the JSON object, "crc". It is the CRC-32C (Castagnoli) of all bytes of the line
// before the comma in front of that key, as 8 lower-case hexadecimal digits. Once a line of metrics.jsonl has one, lines after it without one are
// damaged. The checksum of config.toml is the SHA-256 of all lines before the last. That of checkpoints and models is described at
// state.WriteChecked.
//
// # Errors
//
// Errors name the file, and the line where there is one, and wrap their cause: errors.Is(err, fs.ErrNotExist) says that there is no such file.
// A *BusyError says that a run is under way. Files are replaced by a WriteFunc: after a crash or on a full disk the old file or the new one is
// there.
//
// # Concurrency
//
// Claim lets one process at a time write in a folder. All functions may be called from several goroutines at once. A Metrics belongs to one
// goroutine, and so does a Follower.
package run
