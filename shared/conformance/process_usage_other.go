//go:build !linux

package conformance

import "errors"

func usageOf(int) (usage, error) { return usage{}, errors.New("Linux's /proc") }
