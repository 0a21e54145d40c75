package beam

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadVMArgs(t *testing.T) {
	for _, c := range []struct {
		text       string
		args, left []string
	}{
		{"", nil, nil},
		{"# nothing\n\n  # but comments", nil, nil},
		{"+A 3 # threads\n-kernel shell_history enabled", []string{"+A", "3", "-kernel", "shell_history", "enabled"}, nil},
		{"-name a@b -setcookie c +P 5", []string{"+P", "5"}, []string{"-name", "a@b", "-setcookie", "c"}},
		{"-proto_dist inet_tls -heart +Bd +B -x -1", []string{"-x", "-1"}, []string{"-proto_dist", "inet_tls", "-heart", "+Bd", "+B"}},
		{`-a "b c" 'd"e' f\ g h#i`, []string{"-a", "b c", `d"e`, "f g", "h#i"}, nil},
		{"-a \"-name\" b\\\nc", []string{"-a", "-name", "bc"}, nil},
		{"-env A ''\r\n+S 1:1", []string{"-env", "A", "", "+S", "1:1"}, nil},
		{"+A 1 -extra +B -x", []string{"+A", "1"}, []string{"-extra", "+B", "-x"}},
		{"-sname a\n-y", []string{"-y"}, []string{"-sname", "a"}},
	} {
		args, left, err := ReadVMArgs(c.text)
		require.NoError(t, err, c.text)
		assert.Equal(t, c.args, args, c.text)
		assert.Equal(t, c.left, left, c.text)
	}
	_, _, err := ReadVMArgs("# one\n-a 'b\nc")
	assert.EqualError(t, err, "beam: vm.args: line 2: the quote ' has no end")
}
