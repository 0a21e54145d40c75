package beam

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Variables are found where the expression finds them that they are defined by.
func TestExpandVariables(t *testing.T) {
	variable := regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)
	environ := []string{"A=1", "EMPTY=", "a_9=${A}"}
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"$", "{", "}", "${", ":-", ":", "A", "EMPTY", "a_9", "9", "é", "\xff", "[", "`", "@", " ", "\n", "${A}", "${EMPTY:-x y}", "${B:-}"})
		text := strings.Join(rapid.SliceOf(piece).Draw(t, "text"), "")
		want := variable.ReplaceAllStringFunc(text, func(found string) string {
			parts := variable.FindStringSubmatch(found)
			if value := lookup(environ, parts[1]); value != "" {
				return value
			}
			return parts[3]
		})
		require.Equal(t, want, expandVariables(text, environ), "%q", text)
	})
}
