package layer

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/internal/elffile"
)

func TestParseTarget(t *testing.T) {
	for _, name := range Targets() {
		for _, arch := range []string{"amd64", "arm64"} {
			target, err := ParseTarget(name, arch)
			require.NoError(t, err)
			assert.Equal(t, name+" on "+arch, target.String())
			assert.True(t, target.has("libc.so.6"))
			assert.False(t, target.has("libsctp.so.1"))
		}
	}
	_, err := ParseTarget("mars", "amd64")
	assert.EqualError(t, err, `layer: there is no target "mars" (there are provided.al2023, image, image:debian13)`)
	_, err = ParseTarget("image", "mips")
	assert.EqualError(t, err, `layer: there is no architecture "mips" (Lambda has amd64 and arm64)`)
}

func TestHasVersion(t *testing.T) {
	target, err := ParseTarget("provided.al2023", "amd64")
	require.NoError(t, err)
	for version, want := range map[string]bool{
		"GLIBC_2.34": true, "GLIBC_2.4": true, "GLIBC_2.35": false, "GLIBC_PRIVATE": false,
		"GCC_3.0": true, "GCC_11.0": true, "GCC_12.0.0": false,
		"GLIBCXX_3.4.29": true, "GLIBCXX_3.4.30": false, "OPENSSL_3.0.0": true, "OPENSSL_3.2.0": false,
		"OTHER_99": true, "LIBFOO": true, "CXXABI_TM_1": true,
	} {
		_, ok := target.hasVersion(version)
		assert.Equal(t, want, ok, version)
	}
}

// What a machine's own emulator needs, on targets that have it and that do not.
func TestCheck(t *testing.T) {
	found, err := readOTP("")
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(found.BinDir, "beam.smp"))
	require.NoError(t, err)
	f, err := elffile.Read(b)
	require.NoError(t, err)
	packed := []Binary{{Path: "erlang/beam.smp", File: f}}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	target, err := ParseTarget("image:debian13", other)
	require.NoError(t, err)
	problems := target.Check(packed)
	require.NotEmpty(t, problems)
	assert.Contains(t, problems[0].String(), "erlang/beam.smp is for "+runtime.GOARCH+", and the target is for "+other)

	target, err = ParseTarget("image", runtime.GOARCH)
	require.NoError(t, err)
	lacks := *f
	lacks.Needed = append([]string{"libnowhere.so.1"}, f.Needed...)
	problems = target.Check([]Binary{{Path: "erlang/beam.smp", File: &lacks}})
	require.NotEmpty(t, problems)
	assert.Contains(t, problems[0].String(), "libnowhere.so.1")
}
