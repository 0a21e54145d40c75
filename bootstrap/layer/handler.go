package layer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beamport/beamport/internal/beamfile"
)

// handlerName is what the name of a handler stands for, as the module
// beamport_handler_name of the application has it.
type handlerName struct {
	module   string
	function string // "" for a module with the behaviour beamport_handler
}

// maxName is how many characters an atom has at most.
const maxName = 255

// parseHandler reads Example.hello, example:hello, dir/example.hello, my-mod:my-fun, or
// the name of a module alone.
func parseHandler(name string) (handlerName, error) {
	wrong := func(why string) (handlerName, error) {
		return handlerName{}, fmt.Errorf("layer: %q is not a handler's name (%s): one looks like Module.function (Elixir), module:function (Erlang), dir/module.function (Gleam) or Module", name, why)
	}
	if name == "" || !utf8.ValidString(name) {
		return wrong("it is empty, or not UTF-8")
	}
	module, function, called := strings.Cut(name, ":")
	if strings.Contains(function, ":") {
		return wrong("it has more than one colon")
	}
	// What follows the last dot is a function, unless it begins as a module does.
	if dot := strings.LastIndexByte(name, '.'); !called && dot >= 0 {
		last := name[dot+1:]
		if last == "" {
			return wrong("it ends in a dot")
		}
		if !upper(rune(last[0])) {
			module, function, called = name[:dot], last, true
		}
	}
	atom, ok := moduleAtom(module)
	switch {
	case !ok:
		return wrong(fmt.Sprintf("%q is not the name of a module", module))
	case called && !isFunction(function):
		return wrong(fmt.Sprintf("%q is not the name of a function", function))
	case utf8.RuneCountInString(atom) > maxName || utf8.RuneCountInString(function) > maxName:
		return wrong("it is too long")
	}
	return handlerName{atom, function}, nil
}

// moduleAtom is the name that the emulator knows a module by.
func moduleAtom(module string) (string, bool) {
	if strings.Contains(module, "/") { // Gleam's are in directories
		for part := range strings.SplitSeq(module, "/") {
			if !isErlang(part) {
				return "", false
			}
		}
		return strings.ReplaceAll(module, "/", "@"), true
	}
	if isErlang(module) {
		return module, true
	}
	if module == "Elixir" {
		return "", false
	}
	module = strings.TrimPrefix(module, "Elixir.")
	for part := range strings.SplitSeq(module, ".") {
		if part == "" || !upper(rune(part[0])) || strings.ContainsFunc(part, notLetter) {
			return "", false
		}
	}
	return "Elixir." + module, true
}

func isErlang(module string) bool {
	first, _ := utf8.DecodeRuneInString(module)
	return module != "" && lower(first) && !strings.ContainsFunc(module, notLispLetter)
}

// isFunction: functions of Elixir may end in ? or !.
func isFunction(function string) bool {
	first, size := utf8.DecodeRuneInString(function)
	if function == "" || !lower(first) && first != '_' {
		return false
	}
	rest := function[size:]
	if strings.HasSuffix(rest, "?") || strings.HasSuffix(rest, "!") {
		rest = rest[:len(rest)-1]
	}
	return !strings.ContainsFunc(rest, notLispLetter)
}

func upper(c rune) bool { return c >= 'A' && c <= 'Z' }

// lower: letters of other scripts are taken as they come.
func lower(c rune) bool { return c >= 'a' && c <= 'z' || c > 127 }

func notLetter(c rune) bool {
	return !upper(c) && !lower(c) && (c < '0' || c > '9') && c != '_' && c != '@'
}

// notLispLetter: names of LFE's have dashes.
func notLispLetter(c rune) bool { return c != '-' && notLetter(c) }

// exported says what the module lacks to be the handler's.
func (h handlerName) exported(m *beamfile.Module) error {
	function, arities := h.function, []int{2, 1}
	if function == "" {
		function, arities = "handle", []int{3, 2}
	}
	var same, could []string
	for _, fa := range m.Exports {
		switch {
		case fa.Function == function && slices.Contains(arities, fa.Arity):
			return nil
		case fa.Function == function:
			same = append(same, fmt.Sprintf("%s/%d", fa.Function, fa.Arity))
		case slices.Contains(arities, fa.Arity) && !generated(fa.Function):
			could = append(could, fmt.Sprintf("%s/%d", fa.Function, fa.Arity))
		}
	}
	has := "it has no function that could be a handler"
	if len(same) > 0 {
		could = same
	}
	if len(could) > 0 {
		slices.Sort(could)
		has = "it has " + strings.Join(could[:min(5, len(could))], ", ")
	}
	return fmt.Errorf("layer: the module %s exports neither %s/%d nor %s/%d: %s",
		strings.TrimPrefix(m.Name, "Elixir."), function, arities[0], function, arities[1], has)
}

// generated are functions that compilers add.
func generated(function string) bool {
	return slices.Contains([]string{"module_info", "__info__", "__struct__", "behaviour_info"}, function) || strings.HasPrefix(function, "MACRO-")
}
