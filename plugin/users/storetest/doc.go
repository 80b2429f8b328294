// Package storetest is the contract of users.Store as tests, for the author of
// a store to run. It speaks to the store through its interface only, and so
// does not show durability (design rule 1), which takes killing the process;
// what backends show to a host is the conformance suite's to test.
package storetest
