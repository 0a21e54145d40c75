package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/bytedance/sonic"
	"github.com/fxamacker/cbor/v2"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/vmihailenco/msgpack/v5"
)

// A format is a codec of another format than Erlang's.
type format struct {
	name      string
	marshal   func(v any) ([]byte, error)
	unmarshal func(b []byte, v any) error
	json      bool
}

// formats returns the codecs that know nothing of Erlang, JSON first.
func formats() []format {
	// 32, the default, is too few for the deep workload.
	cborDecoder, err := cbor.DecOptions{MaxNestedLevels: 1024}.DecMode()
	if err != nil {
		panic(err) // constant options
	}
	return []format{
		{name: "encoding/json", marshal: json.Marshal, unmarshal: json.Unmarshal, json: true},
		{
			name:      "json/v2",
			marshal:   func(v any) ([]byte, error) { return jsonv2.Marshal(v) },
			unmarshal: func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) },
			json:      true,
		},
		{name: "sonic", marshal: sonic.Marshal, unmarshal: sonic.Unmarshal, json: true},
		{name: "fxamacker/cbor", marshal: cbor.Marshal, unmarshal: cborDecoder.Unmarshal},
		{name: "msgpack", marshal: msgpack.Marshal, unmarshal: msgpack.Unmarshal},
	}
}

// encoded returns the workload in the format: the common text for JSON, and
// what the codec itself makes of the tree for the others.
func (f format) encoded(w *workload) ([]byte, error) {
	if f.json {
		return w.json, w.noJSON
	}
	return f.marshal(w.tree)
}

// check decodes the bytes and compares the result with the term.
func (f format) check(w *workload, encoded []byte) (note string, err error) {
	var v any
	if err := f.unmarshal(encoded, &v); err != nil {
		return "", err
	}
	rounded, err := same(w.term, v)
	if err != nil {
		return "", err
	}
	if rounded > 0 {
		note = fmt.Sprintf("reads %d integers beyond 2^53 as the nearest float", rounded)
	}
	return note, nil
}

// decode reads into an any.
func (f format) decode(w *workload) (op, error) {
	encoded, err := f.encoded(w)
	if err != nil {
		return op{}, err
	}
	note, err := f.check(w, encoded)
	if err != nil {
		return op{}, err
	}
	o := goOp(len(encoded), func() error {
		var v any
		return f.unmarshal(encoded, &v)
	})
	o.note = note
	return o, nil
}

// encode writes the tree of Go's natural types.
func (f format) encode(w *workload) (op, error) {
	if f.json && w.json == nil {
		return op{}, w.noJSON
	}
	encoded, err := f.marshal(w.tree)
	if err != nil {
		return op{}, err
	}
	if _, err := f.check(w, encoded); err != nil {
		return op{}, err
	}
	tree := w.tree
	return goOp(len(encoded), func() error {
		_, err := f.marshal(tree)
		return err
	}), nil
}

// typed returns the workload's struct, and the format's bytes of it.
func (f format) typed(w *workload) (v any, encoded []byte, err error) {
	v = w.newTyped()
	// The common JSON text is what fills the struct, for every codec.
	if err := json.Unmarshal(w.json, v); err != nil {
		return nil, nil, err
	}
	if f.json {
		return v, w.json, nil
	}
	encoded, err = f.marshal(v)
	return v, encoded, err
}

// unmarshalTyped reads into a new struct.
func (f format) unmarshalTyped(w *workload) (op, error) {
	v, encoded, err := f.typed(w)
	if err != nil {
		return op{}, err
	}
	if err := f.checkTyped(w, v, encoded); err != nil {
		return op{}, err
	}
	newTyped := w.newTyped
	return goOp(len(encoded), func() error { return f.unmarshal(encoded, newTyped()) }), nil
}

// marshalTyped writes the struct.
func (f format) marshalTyped(w *workload) (op, error) {
	v, _, err := f.typed(w)
	if err != nil {
		return op{}, err
	}
	encoded, err := f.marshal(v)
	if err != nil {
		return op{}, err
	}
	return goOp(len(encoded), func() error {
		_, err := f.marshal(v)
		return err
	}), f.checkTyped(w, v, encoded)
}

func (f format) checkTyped(w *workload, want any, encoded []byte) error {
	got := w.newTyped()
	if err := f.unmarshal(encoded, got); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return errors.New("reads another value")
	}
	return nil
}
