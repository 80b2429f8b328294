// Package bench measures the running system as its users meet it, each figure
// beside its floor: the least that the same machine needs for it, measured in
// the same run. tools/bench makes the tables and plots of docs/performance.md
// from what the benchmarks print.
//
// It is benchmarks only, over real processes built as they are shipped.
package bench
