package main

import (
	"errors"

	"github.com/beamport/beamport/etf"
	"github.com/beamport/beamport/etf/erlanggo"
	"github.com/okeuday/erlang_go/v2/erlang"
)

// decodeErlangGo is github.com/okeuday/erlang_go.
func decodeErlangGo(w *workload) (op, error) {
	v, err := erlang.BinaryToTerm(w.etf)
	if err != nil {
		return op{}, err
	}
	term, err := erlanggo.ToTerm(v)
	if err != nil {
		return op{}, err
	}
	if !etf.Equal(term, w.term) {
		return op{}, errors.New("reads another term")
	}
	encoded := w.etf
	return goOp(len(encoded), func() error {
		_, err := erlang.BinaryToTerm(encoded)
		return err
	}), nil
}

func encodeErlangGo(w *workload) (op, error) {
	v, err := erlanggo.FromTerm(w.term)
	if err != nil {
		return op{}, err
	}
	encoded, err := erlang.TermToBinary(v, -1)
	if err != nil {
		return op{}, err
	}
	return goOp(len(encoded), func() error {
		_, err := erlang.TermToBinary(v, -1)
		return err
	}), sameETF(w, encoded)
}
