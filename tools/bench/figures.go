package main

import (
	"math"
	"strconv"
)

// significant rounds to three digits, and writes no more of them.
func significant(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	scale := math.Pow10(digits)
	if v = math.Round(v*scale) / scale; math.Abs(v) >= 100 {
		return grouped(v)
	}
	return strconv.FormatFloat(v, 'f', max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0), 64)
}

// grouped writes a whole number with a comma before every three digits.
func grouped(v float64) string {
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if v < 0 {
		return "-" + digits
	}
	return digits
}

func duration(ns float64) string {
	for _, unit := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if math.Abs(ns) >= 0.9995*unit.ns { // what rounds up to one
			return significant(ns/unit.ns) + " " + unit.name
		}
	}
	return significant(ns) + " ns"
}

func times(v float64) string { return significant(v) + " ×" }

func count(v float64) string {
	if v == math.Trunc(v) {
		return grouped(v)
	}
	return significant(v)
}

func mebibytes(v float64) string { return significant(v) + " MiB" }

func bytesOf(v float64) string { return significant(v) + " B" }

func perSecond(v float64) string { return significant(v) + "/s" }
