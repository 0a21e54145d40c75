//go:build race

package etfjson_test

const raceEnabled = true
