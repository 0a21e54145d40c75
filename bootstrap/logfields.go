package bootstrap

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/beamport/beamport/etf"
)

// fieldsOf reads the metadata of a log frame. Of equal names the first counts.
func fieldsOf(meta etf.Term) []field {
	if meta.Len() == 0 {
		return nil
	}
	fields := make([]field, 0, meta.Len())
	for key, value := range meta.Pairs() {
		name, ok := key.AtomName()
		if !ok {
			if name, ok = key.Text(); !ok {
				continue
			}
		}
		v := fieldValue(value)
		if v != nil && !slices.ContainsFunc(fields, func(f field) bool { return f.key == name }) {
			fields = append(fields, field{name, v})
		}
	}
	return fields
}

// fieldValue is nil for what has no form in JSON.
func fieldValue(t etf.Term) any {
	switch t.Kind() {
	case etf.KindAtom:
		if b, ok := t.Bool(); ok {
			return b
		}
		name, _ := t.AtomName()
		return name
	case etf.KindInt:
		n, _ := t.Int64()
		return n
	case etf.KindFloat:
		f, _ := t.Float64()
		return f
	case etf.KindBinary:
		text, _ := t.Text()
		return text
	case etf.KindMap, etf.KindList:
		raw, err := insideEncode.Append(nil, t)
		if err != nil {
			return nil
		}
		text, err := insideJSON.AppendJSON(nil, raw)
		if err != nil {
			return nil
		}
		return json.RawMessage(text)
	}
	return nil
}

// ours are the keys that an entry has of its own.
func ours(key string) bool {
	switch key {
	case "timestamp", "level", "message", "requestId":
		return true
	}
	return false
}

// appendEntryJSON appends one object.
func appendEntryJSON(b []byte, e entry) []byte {
	b = append(b, `{"timestamp":"`...)
	b = e.at.UTC().AppendFormat(b, timeFormat)
	b = append(append(append(b, `","level":"`...), e.level...), '"')
	if e.requestID != "" {
		b = appendString(append(b, `,"requestId":`...), e.requestID)
	}
	b = appendString(append(b, `,"message":`...), e.text)
	for _, f := range e.fields {
		if !ours(f.key) {
			b = append(appendString(append(b, ','), f.key), ':')
			b = appendValue(b, f.value)
		}
	}
	return append(b, '}')
}

func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) { // which no term is
			return append(b, "null"...)
		}
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	case json.RawMessage:
		return append(b, v...)
	}
	return append(b, "null"...)
}

// appendString appends text as a string of JSON. What is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		valid := 0
		for valid < len(s) {
			r, n := utf8.DecodeRuneInString(s[valid:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			valid += n
		}
		b = appendEscaped(b, s[:valid])
		if s = s[valid:]; len(s) > 0 {
			b, s = append(b, "\ufffd"...), s[1:]
		}
	}
	return append(b, '"')
}
