package etf

// Kind says what a [Term] is.
type Kind uint8

// The kinds of terms. An integer is of KindInt when it fits an int64 and of
// KindBigInt otherwise, so that each integer has one kind; likewise a bit
// string of whole bytes is of KindBinary, and a list is of KindImproperList
// only when its last tail is not a list.
const (
	Invalid Kind = iota // the zero Term
	KindInt
	KindBigInt
	KindFloat
	KindAtom
	KindBinary
	KindBitString
	KindTuple
	KindList
	KindImproperList
	KindMap
	KindPid
	KindPort
	KindRef
	KindFun
	KindExport
	KindRecord // of OTP 29
)

var kindNames = [...]string{
	Invalid: "invalid", KindInt: "int", KindBigInt: "big int", KindFloat: "float", KindAtom: "atom",
	KindBinary: "binary", KindBitString: "bit string", KindTuple: "tuple", KindList: "list",
	KindImproperList: "improper list", KindMap: "map", KindPid: "pid", KindPort: "port",
	KindRef: "reference", KindFun: "fun", KindExport: "export", KindRecord: "record",
}

// String returns the kind's name in lower case, such as "int" or "improper list".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Invalid]
}
