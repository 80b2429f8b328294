package conformance

import "slices"

// Case tests one line of the contract.
type Case struct {
	Name     string   // "group/what-must-hold"
	Contract string   // the line, in words that an author can act on, and where it stands
	Needs    []string // capabilities without which it does not apply
	alone    bool     // it measures: nothing else runs meanwhile
	last     bool     // it judges what the others saw
	run      func(t *T)
}

// Cases returns every case, in the order in which they are reported.
func Cases() []Case {
	return slices.Concat(
		startCases, handshakeCases,
		authenticateCases, createCases, editCases, passwordCases, deleteCases, grantCases, revokeCases, suspendCases,
		enableCases, applyCases, showCases, listCases, exportCases, checkPasswordCases, sessionsCases, inputCases,
		guardsCases, rightsCases, generationCases, requestCases, recordsCases, watchCases, concurrencyCases,
		durabilityCases, cancelCases, backupCases, recoverCases,
		processCases, leaksCases, logsCases,
	)
}

// lacks returns the capabilities that the case needs and the backend has not.
func (c Case) lacks(capabilities []string) (missing []string) {
	for _, n := range c.Needs {
		if !slices.Contains(capabilities, n) {
			missing = append(missing, n)
		}
	}
	return missing
}
