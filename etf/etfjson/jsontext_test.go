package etfjson_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/beamport/beamport/etf/etfjson"
)

// mutated draws JSON text with a few bytes changed, so that it is nearly JSON.
func mutated(t *rapid.T) []byte {
	b := []byte(jsonText(3).Draw(t, "json"))
	bytesOfJSON := rapid.SampledFrom([]byte("{}[],:\"\\ \n0123456789-+.eEtrufalsn\x00\x1f\x7f\xc3\xa9\xed\xa0\x80\xff"))
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		if len(b) == 0 {
			break
		}
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "change") {
		case 0:
			b[i] = bytesOfJSON.Draw(t, "byte")
		case 1:
			b = append(b[:i], b[i+1:]...)
		case 2:
			b = append(b[:i], append([]byte{bytesOfJSON.Draw(t, "byte")}, b[i:]...)...)
		case 3:
			b = b[:i]
		}
	}
	return b
}

// TestAgreesWithJSONText holds the reader of JSON against another: both accept
// the same texts, and where a text is refused they agree on the offset, but for
// what only one of them notices or names otherwise.
func TestAgreesWithJSONText(t *testing.T) {
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := mutated(t)
		_, err := etfjson.AppendTerm(nil, text)
		d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(false))
		_, theirs := d.ReadValue()
		if theirs == nil {
			if _, theirs = d.ReadToken(); theirs == io.EOF {
				theirs = nil
			} else {
				theirs = errors.Join(etfjson.ErrTrailingData, theirs)
			}
		}
		if errors.Is(err, etfjson.ErrNumberRange) || errors.Is(err, etfjson.ErrLimit) {
			return // no matter of syntax
		}
		require.Equal(t, theirs == nil, err == nil, "%q: %v, not %v", text, err, theirs)
		if err == nil {
			accepted++
			return
		}
		refused++
		var ours *etfjson.SyntaxError
		require.ErrorAs(t, err, &ours)
		// The end of the text, what follows the value, and a comma in front of an end
		// are told at other offsets.
		var se *jsontext.SyntacticError
		var ge *etfjson.GrammarError
		switch {
		case !errors.As(theirs, &se), errors.Is(theirs, io.ErrUnexpectedEOF), errors.Is(err, io.ErrUnexpectedEOF),
			errors.Is(err, etfjson.ErrTrailingData), errors.As(err, &ge) && ge.Byte == ',':
		default:
			require.Equal(t, int(se.ByteOffset), ours.Offset, "%q: %v, not %v", text, err, theirs)
		}
	})
	t.Logf("%d texts accepted, %d refused", accepted, refused)
}
