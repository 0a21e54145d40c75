package main

import (
	"fmt"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/etfjson"
)

// fromJSON turns JSON into a term, bytes into bytes.
func fromJSON(w *workload) (op, error) {
	if w.json == nil {
		return op{}, w.noJSON
	}
	encoded, err := etfjson.AppendTerm(nil, w.json)
	if err != nil {
		return op{}, err
	}
	term, err := etf.Decode(encoded)
	if err != nil {
		return op{}, fmt.Errorf("writes what is no term: %w", err)
	}
	tree, err := natural(term)
	if err != nil {
		return op{}, err
	}
	if _, err := same(w.term, tree); err != nil {
		return op{}, err
	}
	text, buffer := w.json, make([]byte, 0, len(encoded))
	return goOp(len(text), func() (err error) {
		buffer, err = etfjson.AppendTerm(buffer[:0], text)
		return err
	}), nil
}

// toJSON turns a term into JSON, bytes into bytes.
func toJSON(w *workload) (op, error) {
	text, err := etfjson.AppendJSON(nil, w.etf)
	if err != nil {
		return op{}, err
	}
	if string(text) != string(w.json) {
		return op{}, fmt.Errorf("writes another JSON")
	}
	encoded, buffer := w.etf, make([]byte, 0, len(text))
	return goOp(len(text), func() (err error) {
		buffer, err = etfjson.AppendJSON(buffer[:0], encoded)
		return err
	}), nil
}
