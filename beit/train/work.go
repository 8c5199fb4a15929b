package train

// countWork adds what the device did since the last call to the work of the run. Processes that train together count their own.
func (l *loop) countWork() {
	l.at.Work += l.env.Device.Work() - l.work
	l.restWork()
}

// restWork leaves out what the device did since the last call: what is no training, such as validation.
func (l *loop) restWork() { l.work = l.env.Device.Work() }
