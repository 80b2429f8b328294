package soak_test

// arrivals holds what the upstream recorded in a round against what clients
// asked.
type arrivals struct {
	*doorJudge
	calls    map[int64]*call           // of this round
	begun    map[int64][]*call         // what staged, by the transaction's timestamp
	commits  map[transactionOf][]*call // what asked to commit, by transaction
	accepted map[*call]int             // how often each was carried out
	staged   map[int64]bool            // timestamps
}

// transactionOf is what a client knows its transaction by.
type transactionOf struct {
	login     *login
	timestamp int64
}

func newArrivals(j *doorJudge, r round) *arrivals {
	w := &arrivals{
		doorJudge: j, calls: map[int64]*call{}, begun: map[int64][]*call{}, commits: map[transactionOf][]*call{},
		accepted: map[*call]int{}, staged: map[int64]bool{},
	}
	for _, c := range r.calls {
		if c.number != 0 {
			w.calls[c.number] = c
		}
		if c.begun != nil {
			at := c.begun.token.Timestamp
			w.begun[at] = append(w.begun[at], c)
		}
		if c.method == "commit" {
			k := transactionOf{c.login, c.in.token.Timestamp}
			w.commits[k] = append(w.commits[k], c)
		}
	}
	w.forget()
	return w
}

// forget leaves out what upstreams that were killed had open.
func (w *arrivals) forget() {
	for key, tx := range w.open {
		if w.gone(tx) {
			delete(w.open, key)
		}
	}
}

func (w *arrivals) gone(tx *upstreamTransaction) bool {
	for _, o := range w.outages {
		if o.of == ofUpstream && tx.at < o.back {
			return true
		}
	}
	return false
}

// arrival judges one that the upstream recorded.
func (w *arrivals) arrival(a arrival) {
	w.counts.arrivals++
	if w.tokens[a.token] {
		w.wrong("a client's token came to the upstream: %v", a)
	}
	if a.method == "login" {
		if a.username != w.service {
			w.wrong("somebody logs in upstream as '%s', who is not the host: %v", a.username, a)
		}
		return
	}
	c := w.caller(a)
	if c != nil {
		w.explains(c, a)
	}
	if !a.accepted {
		return
	}
	key := transactionKey{a.token, a.timestamp}
	switch a.method {
	case "stage":
		w.stages(key, a)
	case "commit", "abort":
		w.ends(key, a)
	}
}

// caller returns the client's call that an arrival carries the number of.
func (w *arrivals) caller(a arrival) *call {
	if a.number == 0 {
		return nil
	}
	c := w.calls[a.number]
	if c == nil {
		c = w.asked[a.number]
	}
	if c == nil {
		w.wrong("no client made a call that the upstream got: %v", a)
	}
	return c
}

// explains judges whether a call is what the upstream got.
func (w *arrivals) explains(c *call, a arrival) {
	w.letIn(c)
	switch {
	case a.accepted && (c.outcome == refusedToken || c.outcome == refusedPermission):
		w.wrong("a call was refused, and reached the upstream: %v\n%v", a, c)
	case a.method != c.method || a.environment != c.environment:
		w.wrong("a call reached the upstream as another: %v\n%v", a, c)
	case c.in == nil && a.timestamp != 0 || c.in != nil && a.timestamp != c.in.token.Timestamp:
		w.wrong("a call reached the upstream in another transaction: %v\n%v", a, c)
	}
	if !a.accepted {
		return
	}
	w.belongs(a, c.login)
	if w.accepted[c]++; w.accepted[c] > 1 {
		w.wrong("a call was carried out twice: %v\n%v", a, c)
	}
}

// belongs notes whose the upstream's token is. It is one session's for good.
func (w *arrivals) belongs(a arrival, l *login) {
	if of := w.logins[a.token]; of != nil && of != l {
		w.wrong("two clients' sessions share one upstream: %v; '%s' of %v and '%s' of %v", a, of.person.name, of.began, l.person.name, l.began)
		return
	}
	w.logins[a.token] = l
}

func (w *arrivals) stages(key transactionKey, a arrival) {
	w.counts.staged++
	w.staged[a.timestamp] = true
	tx := &upstreamTransaction{environment: a.environment, at: a.at}
	if !w.gone(tx) {
		w.open[key] = tx
	}
	if by := w.begun[a.timestamp]; len(by) == 1 && by[0].environment == a.environment {
		w.belongs(a, by[0].login)
	}
}

func (w *arrivals) ends(key transactionKey, a arrival) {
	if a.method == "abort" {
		w.counts.aborted++
	} else {
		w.counts.committed++
		w.commit(a)
	}
	if tx := w.open[key]; tx != nil {
		if late := w.late(key, tx, a.at); late > 0 {
			w.wrong("a transaction in '%s', staged at %v, was ended %v too late: %v", tx.environment, tx.at, late, a)
		}
		delete(w.open, key)
	}
}

// commit judges that a commit was asked for by a client that was let in.
func (w *arrivals) commit(a arrival) {
	for _, c := range w.commits[transactionOf{w.logins[a.token], a.timestamp}] {
		if c.outcome != refusedToken && c.outcome != refusedPermission && c.outcome != refusedTransaction {
			w.letIn(c)
			return
		}
	}
	w.wrong("the upstream committed what no client that was let in asked to commit: %v", a)
}

// complete judges that the upstream recorded what was served.
func (w *arrivals) complete(r round) {
	for _, c := range r.calls {
		if c.outcome != served {
			continue
		}
		if c.number != 0 && w.accepted[c] == 0 || c.begun != nil && !w.staged[c.begun.token.Timestamp] {
			w.wrong("a call was served, and the upstream knows nothing of it:\n%v", c)
		}
	}
}
