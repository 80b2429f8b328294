// Package process sets up what every process of the project owes its secrets:
// no core dump, and no reading of its memory by others of the same user (design
// rule 9). It knows nothing else.
package process
