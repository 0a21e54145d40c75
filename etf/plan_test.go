package etf

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDataOf looks at how interfaces hold values of every kind of type: dataOf
// has to find what package reflect does.
func TestDataOf(t *testing.T) {
	number := 5
	type one struct{ p *int }
	for _, v := range []any{
		true, int8(1), int16(2), int32(3), int64(4), 5, uint8(6), uint16(7), uint32(8), uint64(9), uint(10), uintptr(11),
		float32(1.5), 2.5, complex128(1), "text", []int{1}, []byte{1}, [0]int{}, [1]byte{1}, [9]byte{1}, [3]int32{1}, [3]int{1},
		struct{}{}, struct{ a, b int }{1, 2}, struct {
			p *int
			_ struct{}
		}{&number, struct{}{}}, struct{ a [2]*int }{[2]*int{&number}},
		&number, map[string]int{"a": 1}, map[int]int(nil), (*int)(nil), Int(7), Raw{1},
	} {
		held := heldBy(reflect.TypeOf(v))
		require.NotEqual(t, heldSomehow, held, "%T", v)
		a := dataOf(&v, held)
		if m := reflect.ValueOf(v); m.Kind() == reflect.Map {
			assert.Equal(t, m.Pointer(), newPlan(m.Type()).value(a).Pointer())
			continue
		}
		assert.Equal(t, v, newPlan(reflect.TypeOf(v)).value(a).Interface(), "%T", v)
	}
	for _, v := range []any{one{&number}, [1]*int{&number}} {
		assert.Equal(t, heldSomehow, heldBy(reflect.TypeOf(v)), "%T", v)
	}
	b, err := Marshal([]any{one{&number}, [1]*int{&number}, struct{ P *int }{&number}})
	require.NoError(t, err)
	term, err := Decode(b)
	require.NoError(t, err)
	require.Equal(t, "[#{},[5],#{'P' => 5}]", term.String())
}

// TestPlansAreMadeOnce asks for one recursive type from many goroutines.
func TestPlansAreMadeOnce(t *testing.T) {
	type node struct {
		Next *node
		All  map[string][]node
	}
	got := make(chan *plan, 8)
	for range cap(got) {
		go func() { got <- planOf(reflect.TypeFor[*node]()) }()
	}
	first := <-got
	for range cap(got) - 1 {
		require.Same(t, first, <-got)
	}
	require.Same(t, first.elem, planOf(reflect.TypeFor[node]()))
	require.Same(t, first, first.elem.fields.fields[1].plan, "Next")
}
