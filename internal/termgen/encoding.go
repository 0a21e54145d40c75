package termgen

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf"
)

// Encoding draws an encoding of the term, version byte included: for each part
// of it one of the tags and forms that mean the same, and for maps any order.
func Encoding(term etf.Term) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		return appendAny(t, []byte{tagVersion}, term)
	})
}

func choose(t *rapid.T, n int) int { return rapid.IntRange(0, n-1).Draw(t, "form") }

func appendAny(t *rapid.T, b []byte, term etf.Term) []byte {
	if choose(t, 12) == 0 {
		b = header(b, tagList, 0) // stands for its tail
	}
	switch term.Kind() {
	case etf.KindInt, etf.KindBigInt:
		return appendInteger(t, b, term)
	case etf.KindAtom:
		name, _ := term.AtomName()
		return appendAtom(t, b, name)
	case etf.KindBinary, etf.KindBitString:
		return appendBits(t, b, term)
	case etf.KindFloat:
		f, _ := term.Float64()
		if text := fmt.Sprintf("%.20e", f); choose(t, 4) == 0 {
			return append(append(append(b, tagFloat), text...), make([]byte, lenFloat-len(text))...)
		}
		return binary.BigEndian.AppendUint64(append(b, 70), math.Float64bits(f))
	case etf.KindTuple:
		if n := term.Len(); n < 256 && choose(t, 4) == 0 {
			b = append(b, tagLargeTuple, 0, 0, 0, byte(n))
		} else {
			b = etf.AppendTupleHeader(b, n)
		}
		for elem := range term.All() {
			b = appendAny(t, b, elem)
		}
		return b
	case etf.KindList, etf.KindImproperList:
		return appendList(t, b, term)
	case etf.KindMap:
		var pairs []etf.Pair
		for key, value := range term.Pairs() {
			pairs = append(pairs, etf.Pair{Key: key, Value: value})
		}
		b = etf.AppendMapHeader(b, len(pairs))
		for _, pair := range rapid.Permutation(pairs).Draw(t, "order") {
			b = appendAny(t, appendAny(t, b, pair.Key), pair.Value)
		}
		return b
	case etf.KindPid:
		v, _ := term.Pid()
		old := v.Creation <= 3 && choose(t, 2) == 0
		b = appendAtom(t, append(b, pick(old, tagPid, tagNewPid)), v.Node)
		b = binary.BigEndian.AppendUint32(b, v.ID)
		b = binary.BigEndian.AppendUint32(b, v.Serial)
		return appendCreation(b, old, v.Creation)
	case etf.KindPort:
		v, _ := term.Port()
		if v.ID > 1<<32-1 || choose(t, 2) == 0 {
			b = appendAtom(t, append(b, tagV4Port), v.Node)
			b = binary.BigEndian.AppendUint64(b, v.ID)
			return appendCreation(b, false, v.Creation)
		}
		old := v.Creation <= 3 && choose(t, 2) == 0
		b = appendAtom(t, append(b, pick(old, tagPort, tagNewPort)), v.Node)
		b = binary.BigEndian.AppendUint32(b, uint32(v.ID))
		return appendCreation(b, old, v.Creation)
	case etf.KindRef:
		v, _ := term.Ref()
		old := v.Creation <= 3 && v.Words[0] < 1<<18 && choose(t, 2) == 0
		if old && len(v.Words) == 1 && choose(t, 2) == 0 {
			b = appendAtom(t, append(b, tagReference), v.Node)
			b = binary.BigEndian.AppendUint32(b, v.Words[0])
			return append(b, byte(v.Creation))
		}
		b = append(b, pick(old, tagNewReference, tagNewerReference), 0, byte(len(v.Words)))
		b = appendCreation(appendAtom(t, b, v.Node), old, v.Creation)
		for _, word := range v.Words {
			b = binary.BigEndian.AppendUint32(b, word)
		}
		return b
	case etf.KindExport:
		v, _ := term.Export()
		b = appendAtom(t, append(b, tagExport), v.Module)
		b = appendAtom(t, b, v.Function)
		return appendInteger(t, b, etf.Int(int64(v.Arity)))
	case etf.KindFun:
		return appendFun(t, b, term)
	case etf.KindRecord:
		return appendRecord(t, b, term)
	}
	panic("no encoding of a " + term.Kind().String())
}

func pick(old bool, oldTag, newTag byte) byte {
	if old {
		return oldTag
	}
	return newTag
}

func appendCreation(b []byte, old bool, creation uint32) []byte {
	if old {
		return append(b, byte(creation))
	}
	return binary.BigEndian.AppendUint32(b, creation)
}

func appendInteger(t *rapid.T, b []byte, term etf.Term) []byte {
	v, _ := term.BigInt()
	if v.IsInt64() {
		i := v.Int64()
		switch choose(t, 4) {
		case 0, 1:
			return etf.AppendInt(b, i)
		case 2:
			if int64(int32(i)) == i {
				return binary.BigEndian.AppendUint32(append(b, tagInteger), uint32(i))
			}
		}
	}
	magnitude := v.Bytes()
	slices.Reverse(magnitude)
	magnitude = append(magnitude, make([]byte, choose(t, 3))...)
	sign := byte(0)
	if v.Sign() < 0 || v.Sign() == 0 && choose(t, 2) == 0 {
		sign = 1
	}
	if len(magnitude) < 256 && choose(t, 3) > 0 {
		return append(append(b, tagSmallBig, byte(len(magnitude)), sign), magnitude...)
	}
	b = binary.BigEndian.AppendUint32(append(b, tagLargeBig), uint32(len(magnitude)))
	return append(append(b, sign), magnitude...)
}

func appendAtom(t *rapid.T, b []byte, name string) []byte {
	latin1 := make([]byte, 0, len(name))
	for _, r := range name {
		if r > 0xFF {
			latin1 = nil
			break
		}
		latin1 = append(latin1, byte(r))
	}
	switch form := choose(t, 4); {
	case form == 0 && latin1 != nil:
		return append(append(b, tagSmallAtom, byte(utf8.RuneCountInString(name))), latin1...)
	case form == 1 && latin1 != nil:
		return append(append(b, tagAtom, 0, byte(utf8.RuneCountInString(name))), latin1...)
	case form == 2:
		return append(append(b, tagAtomUTF8, byte(len(name)>>8), byte(len(name))), name...)
	}
	if len(name) > 255 {
		return append(append(b, tagAtomUTF8, byte(len(name)>>8), byte(len(name))), name...)
	}
	return append(append(b, tagSmallAtomUTF8, byte(len(name))), name...)
}

func appendBits(t *rapid.T, b []byte, term etf.Term) []byte {
	content, bits, _ := term.BitString()
	if bits == 8 && (len(content) == 0 || choose(t, 4) > 0) {
		return append(header(b, tagBinary, len(content)), content...)
	}
	b = append(append(header(b, tagBitBinary, len(content)), bits), content...)
	if choose(t, 2) == 0 {
		b[len(b)-1] |= 0xFF >> bits // unused bits do not count
	}
	return b
}

func appendList(t *rapid.T, b []byte, term etf.Term) []byte {
	elems := slices.Collect(term.All())
	for {
		if small, ok := asBytes(elems); ok && len(elems) > 0 && term.Kind() == etf.KindList && choose(t, 2) == 0 {
			return append(append(b, tagString, byte(len(small)>>8), byte(len(small))), small...)
		}
		if choose(t, 8) == 0 {
			b = header(b, tagList, 0) // stands for what follows it
		}
		if len(elems) == 0 {
			break
		}
		// A LIST_EXT of some elements, the rest of the list being its tail.
		n := len(elems)
		if choose(t, 3) == 0 {
			n = rapid.IntRange(1, n).Draw(t, "elements")
		}
		b = header(b, tagList, n)
		for _, elem := range elems[:n] {
			b = appendAny(t, b, elem)
		}
		elems = elems[n:]
	}
	if term.Kind() == etf.KindList {
		return append(b, tagNil)
	}
	tail, _ := term.Tail()
	return appendAny(t, b, tail)
}

func asBytes(elems []etf.Term) ([]byte, bool) {
	var b []byte
	for _, elem := range elems {
		v, ok := elem.Int64()
		if !ok || v < 0 || v > 255 {
			return nil, false
		}
		b = append(b, byte(v))
	}
	return b, true
}

func appendFun(t *rapid.T, b []byte, term etf.Term) []byte {
	v, _ := term.Fun()
	start := len(b)
	b = append(b, tagNewFun, 0, 0, 0, 0, v.Arity)
	b = append(b, v.Uniq[:]...)
	b = binary.BigEndian.AppendUint32(b, v.Index)
	b = binary.BigEndian.AppendUint32(b, uint32(len(v.Free)))
	b = appendAtom(t, b, v.Module)
	b = appendInteger(t, b, etf.Int(v.OldIndex))
	b = appendInteger(t, b, etf.Int(v.OldUniq))
	creator, err := etf.EncodeOptions{NoVersion: true}.Append(nil, etf.Pid(v.Creator))
	if err != nil {
		panic(err)
	}
	b = append(b, creator...)
	for _, free := range v.Free {
		b = appendAny(t, b, free)
	}
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-1))
	return b
}

func appendRecord(t *rapid.T, b []byte, term etf.Term) []byte {
	v, _ := term.Record()
	b = append(header(b, tagRecord, len(v.Fields)), 0)
	if v.Exported {
		b[len(b)-1] = 1
	}
	b = appendAtom(t, appendAtom(t, b, v.Module), v.Name)
	for _, field := range v.Fields {
		b = appendAtom(t, b, field.Name)
	}
	for _, field := range v.Fields {
		b = appendAny(t, b, field.Value)
	}
	return b
}
