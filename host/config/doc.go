// Package config reads the host's settings: their defaults, then concourse.yaml
// in the home, then CONCOURSE_* variables, then flags, each outdoing the one
// before, and each value with its origin.
//
// One table, in setting.go, holds every setting's name, default, check and
// description; the file's keys, the variables, the flags, what `concourse
// config` prints and the reference in docs all come from it.
//
// It never opens what a setting names, and never shows a secret's value in an
// error, a warning or a listing (design rule 9). host wires what it returns.
package config
