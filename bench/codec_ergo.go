package main

import (
	"bytes"
	"errors"
	"fmt"

	ergo "github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/lib"
)

// decodeErgo is package etf of github.com/ergo-services/ergo. It reverses
// bignums in the buffer that it reads, so each reading needs a copy.
func decodeErgo(w *workload) (op, error) {
	v, err := ergoDecode(bytes.Clone(w.etf))
	if err != nil {
		return op{}, err
	}
	encoded, err := ergoEncode(v)
	if err != nil {
		return op{}, fmt.Errorf("does not encode what it has read: %w", err)
	}
	if err := sameETF(w, encoded); err != nil {
		return op{}, fmt.Errorf("what it has read, it %w", err)
	}
	original, buffer := w.etf, make([]byte, len(w.etf))
	return goOp(len(original), func() error {
		copy(buffer, original)
		_, err := ergoDecode(buffer)
		return err
	}), nil
}

// ergoDecode reads a term, whose version byte is not ergo's business.
func ergoDecode(encoded []byte) (ergo.Term, error) {
	v, rest, err := ergo.Decode(encoded[1:], nil, ergo.DecodeOptions{FlagBigPidRef: true})
	if err == nil && len(rest) > 0 {
		err = errors.New("leaves a rest")
	}
	return v, err
}

// ergoEncode returns a copy of what ergo writes, with a version byte.
func ergoEncode(v ergo.Term) ([]byte, error) {
	b := lib.TakeBuffer()
	defer lib.ReleaseBuffer(b)
	if err := ergo.Encode(v, b, ergo.EncodeOptions{FlagBigCreation: true, FlagBigPidRef: true}); err != nil {
		return nil, err
	}
	return append([]byte{131}, b.B...), nil
}

// encodeErgo writes into a pooled buffer, as ergo's connections do.
func encodeErgo(w *workload) (op, error) {
	v, err := ergoDecode(bytes.Clone(w.etf))
	if err != nil {
		return op{}, fmt.Errorf("has no such term, since it does not decode it: %w", err)
	}
	encoded, err := ergoEncode(v)
	if err != nil {
		return op{}, err
	}
	return goOp(len(encoded), func() error {
		b := lib.TakeBuffer()
		defer lib.ReleaseBuffer(b)
		return ergo.Encode(v, b, ergo.EncodeOptions{FlagBigCreation: true, FlagBigPidRef: true})
	}), sameETF(w, encoded)
}
