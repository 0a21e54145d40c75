package otporacle

import (
	"errors"
	"fmt"

	"github.com/beamport/beamport/etf"
)

// A Verdict is what the emulator decides about an input.
type Verdict int

const (
	Refuses Verdict = iota // badarg
	Accepts
	Dies // of decoding it, or of encoding it again
)

// String returns the verdict's name.
func (v Verdict) String() string { return [...]string{"refuses", "accepts", "dies"}[v] }

// An Answer is a verdict and, for [Accepts], what term_to_binary/2 makes of the
// term with {minor_version, 2}.
type Answer struct {
	Verdict Verdict
	Encoded []byte
}

// Reencode has the emulator decode each input and encode it again, in one
// exchange. Where that kills it, it asks for halves of the inputs, and so on,
// until it knows which of them do: an input alone with a new emulator.
func (o *Oracle) Reencode(inputs [][]byte) ([]Answer, error) {
	return o.judge("reencode", inputs)
}

// Verdicts is [Oracle.Reencode] without encoding again.
func (o *Oracle) Verdicts(inputs [][]byte) ([]Answer, error) {
	return o.judge("accepted", inputs)
}

func (o *Oracle) judge(question string, inputs [][]byte) ([]Answer, error) {
	if len(inputs) == 0 {
		return nil, nil
	}
	if o.inputs > maxInputs {
		if err := o.restart(); err != nil {
			return nil, err
		}
	}
	fresh := o.inputs == 0
	o.inputs += len(inputs)
	answer, err := o.Ask(etf.Atom(question), Binaries(inputs))
	switch {
	case err == nil:
		return answers(answer, len(inputs))
	case !errors.Is(err, ErrDied):
		return nil, err
	case len(inputs) > 1:
		half := len(inputs) / 2
		first, err := o.judge(question, inputs[:half])
		if err != nil {
			return nil, err
		}
		second, err := o.judge(question, inputs[half:])
		return append(first, second...), err
	case !fresh: // what came before may have done the harm
		return o.judge(question, inputs)
	}
	return []Answer{{Verdict: Dies}}, nil
}

func answers(answer etf.Term, n int) ([]Answer, error) {
	if answer.Len() != n {
		return nil, fmt.Errorf("otporacle: %d answers for %d inputs", answer.Len(), n)
	}
	all := make([]Answer, 0, n)
	for a := range answer.All() {
		switch b, ok := a.Bytes(); {
		case ok:
			all = append(all, Answer{Verdict: Accepts, Encoded: b})
		case a.IsAtom("true"):
			all = append(all, Answer{Verdict: Accepts})
		default:
			all = append(all, Answer{})
		}
	}
	return all, nil
}

// Binaries returns the list of the inputs as binaries.
func Binaries(inputs [][]byte) etf.Term {
	terms := make([]etf.Term, len(inputs))
	for i, b := range inputs {
		terms[i] = etf.Binary(b)
	}
	return etf.List(terms...)
}
