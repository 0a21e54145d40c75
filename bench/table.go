package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A table is lines of cells; the first line is its head. A line of one cell
// runs across the table.
type table [][]string

// text aligns the table for a terminal, the first column to the left and the
// others to the right.
func (t table) text() string {
	widths := t.widths()
	var b strings.Builder
	for _, line := range t {
		if len(line) == 1 {
			fmt.Fprintf(&b, "\n%s\n", line[0])
			continue
		}
		var row strings.Builder
		for i, c := range line {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i == 0 {
				row.WriteString(c + padding)
			} else {
				row.WriteString("  " + padding + c)
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

func (t table) widths() []int {
	var widths []int
	for _, line := range t {
		if len(line) == 1 {
			continue
		}
		for i, c := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	return widths
}

// The alignment of the columns behind the first, in Markdown.
const (
	figures = "---:|"
	words   = "---|"
)

// markdown writes the table for a page, its columns behind the first aligned.
func (t table) markdown(align string) string {
	var b strings.Builder
	for i, line := range t {
		b.WriteString("| " + strings.Join(line, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|---|" + strings.Repeat(align, len(line)-1) + "\n")
		}
	}
	return b.String()
}

// duration formats nanoseconds with three significant digits.
func duration(ns float64) string {
	switch {
	case ns < 999.5:
		return significant(ns) + "ns"
	case ns < 999.5e3:
		return significant(ns/1e3) + "µs"
	case ns < 999.5e6:
		return significant(ns/1e6) + "ms"
	}
	return significant(ns/1e9) + "s"
}

// times formats a ratio.
func times(ratio float64) string { return significant(ratio) + "×" }

// significant formats a number of at most a few digits before the point with
// three significant ones.
func significant(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// size formats a number of bytes.
func size(bytes int) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1e6:
		return significant(float64(bytes)/1e3) + " kB"
	}
	return significant(float64(bytes)/1e6) + " MB"
}
