//go:build linux

package soak

import "github.com/beamport/beamport/etf"

// A malformation is a frame that no side may send, made for a call.
type malformation struct {
	name  string
	bytes func(id int64) []byte
}

func encoded(t etf.Term) []byte {
	b, err := etf.Encode(t)
	if err != nil {
		panic(err) // the terms below can be encoded
	}
	return b
}

func tuple(kind string, elements ...etf.Term) []byte {
	return encoded(etf.Tuple(append([]etf.Term{etf.Atom(kind)}, elements...)...))
}

func good(id int64) []byte { return tuple("reply", etf.Int(id), etf.List(etf.Int(1), etf.String("x"))) }

// malformed are the frames that end a connection.
var malformed = []malformation{
	{"empty", func(int64) []byte { return nil }},
	{"no version byte", func(id int64) []byte { return good(id)[1:] }},
	{"another version byte", func(id int64) []byte { return append([]byte{130}, good(id)[1:]...) }},
	{"cut short", func(id int64) []byte { return good(id)[:len(good(id))-1] }},
	{"bytes after the term", func(id int64) []byte { return append(good(id), 106) }},
	{"a tag that is none", func(id int64) []byte { return append(tuple("reply", etf.Int(id)), 1) }},
	{"no tuple", func(int64) []byte { return encoded(etf.String("reply")) }},
	{"an empty tuple", func(int64) []byte { return encoded(etf.Tuple()) }},
	{"an unknown kind", func(id int64) []byte { return tuple("answer", etf.Int(id), etf.Int(1)) }},
	{"too few elements", func(id int64) []byte { return tuple("reply", etf.Int(id)) }},
	{"too many elements", func(id int64) []byte { return tuple("reply", etf.Int(id), etf.Int(1), etf.Int(2)) }},
	{"an id that is no integer", func(int64) []byte { return tuple("reply", etf.Atom("id"), etf.Int(1)) }},
	{"a second ready", func(int64) []byte { return tuple("ready", etf.Int(1), etf.Map()) }},
	{"a class that is no atom", func(id int64) []byte {
		return tuple("error", etf.Int(id), etf.String("error"), etf.Map(), etf.List())
	}},
	{"a reason that is no map", func(id int64) []byte {
		return tuple("error", etf.Int(id), etf.Atom("error"), etf.Int(1), etf.List())
	}},
	{"a level that is no atom", func(int64) []byte {
		return tuple("log", etf.Int(1), etf.Int(1), etf.Atom("nil"), etf.String("x"), etf.Map())
	}},
	{"a list that claims much", func(id int64) []byte {
		return append(tuple("reply", etf.Int(id), etf.Atom("x"))[:len(tuple("reply", etf.Int(id), etf.Atom("x")))-3], 108, 255, 255, 255, 255, 97, 1)
	}},
}
