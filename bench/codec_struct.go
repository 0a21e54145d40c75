package main

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/beamport/beamport/etf"
)

// typedETF returns the workload's struct as the common JSON text fills it, for
// every codec the same.
func typedETF(w *workload) (any, error) {
	v := w.newTyped()
	return v, json.Unmarshal(w.json, v)
}

// unmarshalStruct reads what term_to_binary wrote into a new struct.
func unmarshalStruct(w *workload) (op, error) {
	want, err := typedETF(w)
	if err != nil {
		return op{}, err
	}
	got := w.newTyped()
	if err := etf.Unmarshal(w.etf, got); err != nil {
		return op{}, err
	}
	if !reflect.DeepEqual(got, want) {
		return op{}, errors.New("reads another value")
	}
	encoded, newTyped := w.etf, w.newTyped
	return goOp(len(encoded), func() error { return etf.Unmarshal(encoded, newTyped()) }), nil
}

// marshalStruct writes a struct into new memory, as the peers do.
func marshalStruct(w *workload) (op, error) {
	v, encoded, err := marshaled(w)
	if err != nil {
		return op{}, err
	}
	return goOp(len(encoded), func() error {
		_, err := etf.Marshal(v)
		return err
	}), nil
}

// appendStruct writes it into a buffer that is used again.
func appendStruct(w *workload) (op, error) {
	v, encoded, err := marshaled(w)
	if err != nil {
		return op{}, err
	}
	buffer := make([]byte, 0, len(encoded))
	return goOp(len(encoded), func() (err error) {
		buffer, err = etf.AppendMarshal(buffer[:0], v)
		return err
	}), nil
}

// marshaled returns the workload's struct and its encoding, which it checks.
func marshaled(w *workload) (v any, encoded []byte, err error) {
	if v, err = typedETF(w); err != nil {
		return nil, nil, err
	}
	if encoded, err = etf.Marshal(v); err != nil {
		return nil, nil, err
	}
	return v, encoded, sameETF(w, encoded)
}
