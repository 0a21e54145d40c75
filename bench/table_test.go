package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTableText(t *testing.T) {
	table := table{{"", "a", "long"}, {"a part"}, {"first", "1", "–"}, {"é", "22µs 3×", "x"}}
	assert.Equal(t, ""+
		"             a  long\n"+
		"\na part\n"+
		"first        1     –\n"+
		"é      22µs 3×     x\n", table.text())
}

func TestTableMarkdown(t *testing.T) {
	assert.Equal(t, "| codec | ns |\n|---|---:|\n| x | 1 |\n", table{{"codec", "ns"}, {"x", "1"}}.markdown(figures))
	assert.Equal(t, "| a | b |\n|---|---|\n", table{{"a", "b"}}.markdown(words))
}

func TestNumbers(t *testing.T) {
	for ns, want := range map[float64]string{
		0.5: "0.50ns", 9.994: "9.99ns", 9.996: "10.0ns", 99.96: "100ns", 999.4: "999ns", 999.6: "1.00µs",
		12_345: "12.3µs", 999.6e3: "1.00ms", 2.5e9: "2.50s",
	} {
		assert.Equal(t, want, duration(ns), ns)
	}
	assert.Equal(t, "0.13×", times(0.13))
	assert.Equal(t, "36.6×", times(36.55001))
	assert.Equal(t, "434 B", size(434))
	assert.Equal(t, "4.89 kB", size(4890))
	assert.Equal(t, "5.24 MB", size(5<<20))
}
