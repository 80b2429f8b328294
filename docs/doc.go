// Package docs holds the project's documents, and the tests that hold the
// project to them: every command-line example is run against a real host, and
// the design's import rules are checked against the code.
package docs
