package main

import (
	"fmt"
	"regexp"
	"strings"
)

// logLines shows a person what the function logs, of which it gets an entry a
// write.
type logLines struct {
	c *console
	// ids shows to which invocation an entry belongs.
	ids bool
}

// entry is the runtime's text format: level, time, request id and text.
var entry = regexp.MustCompile(`^\[([A-Z]+)\]\t\S+\t(?:([0-9a-f]{8})-[0-9a-f-]{27}\t)?`)

func (l *logLines) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(string(p), "\n")
	s := l.c.errStyle
	prefix := "  "
	if m := entry.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if l.ids && m[2] != "" {
			prefix += s.dim(m[2]) + " "
		}
		prefix += paintLevel(s, strings.ToLower(m[1])) + " "
	}
	// An entry of several lines stays under its head.
	text = strings.ReplaceAll(text, "\n", "\n        ")
	_, err := fmt.Fprintf(l.c.err, "%s%s\n", prefix, text)
	return len(p), err
}

func paintLevel(s style, level string) string {
	padded := fmt.Sprintf("%-5s", level)
	switch level {
	case "error", "fatal":
		return s.red(padded)
	case "warn":
		return s.yellow(padded)
	default:
		return s.dim(padded)
	}
}
