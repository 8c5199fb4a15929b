package run

// oldMetrics are former names of metrics and what they are called now.
var oldMetrics = map[string]string{
	"loss_1": "loss_mim", "loss_2": "loss_aggregation", "mlm_acc_1": "acc_mim", "mlm_acc_2": "acc_aggregation",
	"loss_swap": "loss_cls_shuffled", "copy_acc": "acc_nearest_patch",
	"rec_loss": "loss_reconstruction", "balanced": "macro_accuracy", "quant_loss": "loss_commitment", "data_wait": "data_time",
}

// CurrentMetric is the present name of a metric. Records and counters of old runs have the former one.
func CurrentMetric(key string) string {
	if now, ok := oldMetrics[key]; ok {
		return now
	}
	return key
}
