package beam

import (
	"fmt"
	"slices"
	"strings"
)

// leftOut are the flags of a release's vm.args that have no place in a VM which
// another program started and speaks with: distribution, the shell, the terminal,
// and what [Installation.Command] says itself.
var leftOut = []string{
	// Distribution: nothing outside can connect to a function, and epmd cannot run.
	"-name", "-sname", "-setcookie", "-hidden", "-dist_listen", "-proto_dist", "-epmd_module",
	"-start_epmd", "-erl_epmd_port", "-remsh", "-connect_all", "-no_epmd",
	// Who restarts the VM is the program that started it.
	"-heart", "-detached",
	// How it starts is known.
	"-boot", "-boot_var", "-mode", "-embedded", "-interactive", "-config", "-configfd",
	"-noshell", "-noinput", "-user", "-oldshell", "-emu", "-emu_args", "-version",
	"-args_file", "-extra", "--",
	// The answer to Control-C.
	"+B", "+Bc", "+Bd", "+Bi",
}

// ReadVMArgs reads the text of a vm.args file, as erlexec reads it with
// -args_file: flags and values stand between white space, # begins a comment,
// quotes and backslashes keep what they quote together. Flags that would start
// distribution, a heart or a shell, or say how the VM boots, are not in args but in
// left, with their values; -extra leaves out all that follows it.
func ReadVMArgs(text string) (args, left []string, err error) {
	words, err := vmWords(text)
	if err != nil {
		return nil, nil, err
	}
	out := false
	for n, word := range words {
		if isFlag(word) {
			name, _, _ := strings.Cut(word.text, "=")
			out = slices.Contains(leftOut, name)
			if name == "-extra" || name == "--" {
				for _, rest := range words[n:] {
					left = append(left, rest.text)
				}
				return args, left, nil
			}
		}
		if out {
			left = append(left, word.text)
		} else {
			args = append(args, word.text)
		}
	}
	return args, left, nil
}

// vmWord is a word of a vm.args file.
type vmWord struct {
	text   string
	quoted bool // begins with a quote, so that it is no flag
}

func isFlag(w vmWord) bool {
	if w.quoted || len(w.text) < 2 {
		return false
	}
	// A negative number is a value.
	return w.text[0] == '+' || w.text[0] == '-' && (w.text[1] < '0' || w.text[1] > '9')
}

func vmWords(text string) ([]vmWord, error) {
	var words []vmWord
	var word []byte
	within, quoted := false, false
	line := 1
	end := func() {
		if within {
			words = append(words, vmWord{string(word), quoted})
		}
		word, within, quoted = nil, false, false
	}
	for n := 0; n < len(text); n++ {
		switch c := text[n]; c {
		case ' ', '\t', '\r', '\n', '\f', '\v':
			end()
			if c == '\n' {
				line++
			}
		case '#':
			if within {
				word = append(word, c)
				continue
			}
			if stop := strings.IndexByte(text[n:], '\n'); stop >= 0 {
				n += stop - 1
			} else {
				n = len(text)
			}
		case '\\':
			// A backslash quotes any character, and joins lines.
			if n++; n < len(text) && text[n] != '\n' {
				within = true
				word = append(word, text[n])
			}
		case '\'', '"':
			stop := strings.IndexByte(text[n+1:], c)
			if stop < 0 {
				return nil, fmt.Errorf("beam: vm.args: line %d: the quote %c has no end", line, c)
			}
			part := text[n+1 : n+1+stop]
			line += strings.Count(part, "\n")
			quoted = quoted || !within
			within = true
			word = append(word, part...)
			n += stop + 1
		default:
			within = true
			word = append(word, c)
		}
	}
	end()
	return words, nil
}
