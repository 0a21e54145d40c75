package main

// sections returns every comparison.
func sections(b *beam, e *ei) []section {
	decode := []codec{
		{"etf.Decode", decodeTerm},
		{inPlace, decodeInPlace},
		{copyAlone, copyToNew},
		{"etf.Valid", scan},
		{"etf.Cursor", walk},
		{"BEAM", b.decode},
		{"C ei", e.op("decode")},
		{"erlang_go", decodeErlangGo},
		{"ergo", decodeErgo},
	}
	encode := []codec{
		{"etf.Append", appendTerm},
		{copyAlone, copyToBuffer},
		{"etf.Encode", encodeTerm},
		{"BEAM", b.encode},
		{"C ei", e.op("encode")},
		{"erlang_go", encodeErlangGo},
		{"ergo", encodeErgo},
	}
	unmarshal := []codec{{"etf.Unmarshal", unmarshalStruct}}
	marshal := []codec{{"etf.Marshal", marshalStruct}, {"etf.AppendMarshal", appendStruct}}
	fromText := []codec{{"etfjson.AppendTerm", fromJSON}}
	toText := []codec{{"etfjson.AppendJSON", toJSON}}
	for _, f := range formats() {
		decode = append(decode, codec{f.name, f.decode})
		encode = append(encode, codec{f.name, f.encode})
		unmarshal = append(unmarshal, codec{f.name, f.unmarshalTyped})
		marshal = append(marshal, codec{f.name, f.marshalTyped})
		if f.json {
			fromText = append(fromText, codec{f.name, f.decode})
			toText = append(toText, codec{f.name, f.encode})
		}
	}
	return []section{
		{name: "decode", title: "decode to a tree", codecs: decode},
		{name: "encode", title: "encode a tree", codecs: encode},
		{name: "unmarshal", title: "decode to a struct", codecs: unmarshal, applies: hasStruct},
		{name: "marshal", title: "encode a struct", codecs: marshal, applies: writesStruct},
		{name: "fromjson", title: "JSON to a term; peers: JSON to any", codecs: fromText, applies: hasJSON},
		{name: "tojson", title: "a term to JSON; peers: any to JSON", codecs: toText, applies: becomesJSON},
	}
}

// hasStruct says whether there is a Go type for the workload.
func hasStruct(w *workload) bool { return w.newTyped != nil }

// writesStruct leaves out what the struct's tags write otherwise: its keys are
// binaries.
func writesStruct(w *workload) bool { return hasStruct(w) && w.name != "event_atoms" }

func hasJSON(w *workload) bool { return w.json != nil }

// becomesJSON leaves out the terms with tuples, which etfjson refuses: JSON has
// no form for them that comes back as a tuple.
func becomesJSON(w *workload) bool {
	_, err := toJSON(w)
	return err == nil
}
