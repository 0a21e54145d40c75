package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// event is what a function is invoked with.
type event struct {
	name string // for people
	json []byte
}

// readEvents reads the files named, all before anything is started. The name -
// stands for in.
func readEvents(names []string, in io.Reader) ([]event, error) {
	if len(names) == 0 {
		return []event{{"{}", []byte("{}")}}, nil
	}
	var events []event
	stdin := false
	for _, name := range names {
		e := event{name: filepath.Base(name)}
		var err error
		switch {
		case name == "-" && stdin:
			return nil, errors.New("--event - may be given once: there is one standard input")
		case name == "-":
			stdin = true
			e.name = "standard input"
			e.json, err = io.ReadAll(in)
		default:
			e.json, err = os.ReadFile(name)
		}
		if err != nil {
			return nil, fmt.Errorf("the event cannot be read: %w", err)
		}
		if err := checkJSON(name, e.json); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// checkJSON names the place at which an event stops being JSON.
func checkJSON(name string, text []byte) error {
	var value json.RawMessage
	err := json.Unmarshal(text, &value)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case len(bytes.TrimSpace(text)) == 0:
		return fmt.Errorf("the event %s is empty: without an event, {} is sent", name)
	case errors.As(err, &syntax):
		before := text[:min(int(syntax.Offset), len(text))]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
		return fmt.Errorf("the event %s is not JSON: line %d, column %d: %w", name, line, column, err)
	default:
		return fmt.Errorf("the event %s is not JSON: %w", name, err)
	}
}
