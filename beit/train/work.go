package train

// countWork adds what the device did since the last call to the work of the run. All processes that train together do as much.
func (l *loop) countWork() {
	l.at.Work += (l.env.Device.Work() - l.work) * float64(l.env.Group.Size())
	l.restWork()
}

// restWork leaves out what the device did since the last call: what is no training, such as validation.
func (l *loop) restWork() { l.work = l.env.Device.Work() }
