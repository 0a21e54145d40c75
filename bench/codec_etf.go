package main

import (
	"errors"

	"github.com/beamport/beamport/etf"
)

// decodeTerm is etf's tree of terms.
func decodeTerm(w *workload) (op, error) {
	encoded := w.etf
	return goOp(len(encoded), func() error {
		_, err := etf.Decode(encoded)
		return err
	}), nil
}

// decodeInPlace is decodeTerm without a copy of the bytes.
func decodeInPlace(w *workload) (op, error) {
	encoded, inPlace := w.etf, etf.DecodeOptions{NoCopy: true}
	return goOp(len(encoded), func() error {
		_, err := inPlace.Decode(encoded)
		return err
	}), nil
}

// scan is the first of the decoder's two passes alone.
func scan(w *workload) (op, error) {
	encoded := w.etf
	return goOp(len(encoded), func() error { return etf.Valid(encoded) }), nil
}

// walk reads every token with a cursor and adds up what it reads.
func walk(w *workload) (op, error) {
	encoded, want := w.etf, treeSum(w.term)
	once := func() error {
		c, err := etf.NewCursor(encoded)
		if err != nil {
			return err
		}
		sum, err := walkTerm(&c)
		if err != nil {
			return err
		}
		if sum != want {
			return errors.New("the walk's sum is not the tree's")
		}
		return c.End()
	}
	return goOp(len(encoded), once), once()
}

// walkTerm reads one term and returns the sum of its integers, of its floats
// cut to integers, and of the lengths of its atoms and binaries.
func walkTerm(c *etf.Cursor) (sum uint64, err error) {
	switch c.Kind() {
	case etf.KindInt:
		i, err := c.Int()
		return uint64(i), err
	case etf.KindBigInt:
		magnitude, _, err := c.Big()
		return uint64(len(magnitude)), err
	case etf.KindFloat:
		f, err := c.Float()
		return uint64(int64(f)), err
	case etf.KindAtom:
		name, err := c.Atom()
		return uint64(len(name)), err
	case etf.KindBinary:
		b, err := c.Binary()
		return uint64(len(b)), err
	case etf.KindTuple:
		n, err := c.Tuple()
		if err != nil {
			return 0, err
		}
		return walkTerms(c, n)
	case etf.KindMap:
		n, err := c.Map()
		if err != nil {
			return 0, err
		}
		return walkTerms(c, 2*n)
	}
	n, err := c.List()
	for err == nil && n > 0 {
		var elems uint64
		if elems, err = walkTerms(c, n); err != nil {
			return 0, err
		}
		sum += elems
		n, err = c.Tail()
	}
	return sum, err
}

func walkTerms(c *etf.Cursor, n int) (sum uint64, err error) {
	for range n {
		s, err := walkTerm(c)
		if err != nil {
			return 0, err
		}
		sum += s
	}
	return sum, nil
}

// treeSum is what walkTerm returns, out of a tree.
func treeSum(t etf.Term) (sum uint64) {
	switch t.Kind() {
	case etf.KindInt:
		i, _ := t.Int64()
		return uint64(i)
	case etf.KindBigInt:
		i, _ := t.BigInt()
		return uint64(len(i.Bytes()))
	case etf.KindFloat:
		f, _ := t.Float64()
		return uint64(int64(f))
	case etf.KindAtom:
		name, _ := t.AtomName()
		return uint64(len(name))
	case etf.KindBinary:
		return uint64(t.Len())
	}
	for e := range t.All() {
		sum += treeSum(e)
	}
	for k, v := range t.Pairs() {
		sum += treeSum(k) + treeSum(v)
	}
	return sum
}

// appendTerm encodes into a buffer that is used again.
func appendTerm(w *workload) (op, error) {
	term := w.term
	encoded, err := etf.Append(nil, term)
	if err != nil {
		return op{}, err
	}
	buffer := make([]byte, 0, len(encoded))
	return goOp(len(encoded), func() (err error) {
		buffer, err = etf.Append(buffer[:0], term)
		return err
	}), sameETF(w, encoded)
}

// encodeTerm encodes into new memory, as the peers do.
func encodeTerm(w *workload) (op, error) {
	term := w.term
	encoded, err := etf.Encode(term)
	if err != nil {
		return op{}, err
	}
	return goOp(len(encoded), func() error {
		_, err := etf.Encode(term)
		return err
	}), sameETF(w, encoded)
}
