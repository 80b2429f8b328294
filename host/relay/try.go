package relay

// Try logs in upstream once, asks what is meant there by no environment, and logs
// out, so that the log has what is wrong before the first call finds out. It waits
// for none of that; Close does.
func (r *Relay) Try() {
	r.endings.expect()
	go func() {
		defer r.endings.settled()
		l, err := r.logIn(0)
		if err != nil {
			return // the log has it
		}
		switch err := r.checkDefault(r.context, l); err {
		case nil:
			r.Logger.Info("the data server answers, and lets this host in", "address", r.Address)
		case errNoDefault, errStale:
			r.Logger.Warn("the data server lets this host in, and then does not serve it", "address", r.Address, "error", err)
		}
		r.logOut(l)
	}()
}
