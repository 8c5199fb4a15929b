package train

import "fmt"

// checkEnd refuses to end a resumed run before the steps that are done. before is the number of its epochs up to now.
func (l *loop) checkEnd(done, before int) error {
	epochs, perEpoch := l.env.Config.Train.Epochs, l.env.StepsPerEpoch
	if least := (done + perEpoch - 1) / perEpoch; epochs < min(least, before) {
		return fmt.Errorf("train.epochs = %d: the run has begun epoch %d of %d: give it at least %d", epochs, least, before, least)
	}
	return nil
}

// tellPlace says where a resumed run goes on, and what becomes of the learning rate if it had another number of epochs before.
func (l *loop) tellPlace(before int) {
	e, t := l.env, l.env.Config.Train
	if l.at.Closed == t.Epochs {
		l.reporter.Notice(l.dir + " is finished already: no step is left; a larger train.epochs goes on from there")
		return
	}
	l.reporter.Notice(fmt.Sprintf("%s continues at epoch %d of %d, step %d of %d", l.dir, l.at.Closed+1, t.Epochs, l.at.Step, e.Steps()))
	if t.Epochs == before || l.at.Step == 0 {
		return
	}
	now, then := t, t
	then.Epochs = before
	l.reporter.Notice(fmt.Sprintf("%d epochs in place of %d: the learning rate goes from %.3g to %.3g, and falls until the new end", t.Epochs, before,
		newSchedule(then, e.StepsPerEpoch).At(l.at.Step-1), newSchedule(now, e.StepsPerEpoch).At(l.at.Step)))
}
