//go:build !race

package etfjson_test

const raceEnabled = false
