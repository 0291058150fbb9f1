package eventlog

// SealNow makes a full table of the active one.
func (e *Engine) SealNow() {
	done := make(chan struct{})
	e.reqs <- &request{rotate: done}
	<-done
}
