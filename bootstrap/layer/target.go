package layer

import (
	"fmt"
	"slices"
	"strings"
)

// Target is a system that a layer or a function is loaded on.
type Target struct {
	// Name is one of [Targets].
	Name string
	// Arch is amd64 or arm64.
	Arch string

	base base
}

// base is what a system has of itself.
type base struct {
	about string
	// versions are the latest that its libraries have of each name that versions begin
	// with.
	versions map[string]string
	// libraries are there besides those of glibc, libgcc_s and libstdc++.
	libraries []string
	// instead says what to do where that is not enough.
	instead string
}

// bases are what is known for certain of the targets. A library that is not named here
// is packed.
var bases = map[string]base{
	// glibc 2.34 and GCC 11: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html.
	// GCC 11's libgcc_s ends at GCC_7.0.0 on x86 and at GCC_11.0 on arm64; its libstdc++
	// is https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html's 3.4.29. The image has
	// bash and curl, which AWS's own bootstrap in
	// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-walkthrough.html calls, and so
	// the libraries that those need.
	"provided.al2023": {
		about: "Amazon Linux 2023",
		versions: map[string]string{
			"GLIBC": "2.34", "GCC": "11", "GLIBCXX": "3.4.29", "CXXABI": "1.3.13",
			"NCURSES6_TINFO": "6.2", "ZLIB": "1.2.11", "OPENSSL": "3.0.8",
		},
		libraries: []string{"libcrypto.so.3", "libssl.so.3", "libtinfo.so.6", "libz.so.1"},
		instead:   "take an Erlang/OTP that was built on Amazon Linux 2023, or make a container image with its own base (--target image)",
	},
	// Debian 12, slim: bash and dpkg bring libtinfo and libz.
	"image": {
		about:     "Debian 12",
		versions:  map[string]string{"GLIBC": "2.36", "GCC": "12", "GLIBCXX": "3.4.30", "CXXABI": "1.3.13", "NCURSES6_TINFO": "6.4", "ZLIB": "1.2.13"},
		libraries: []string{"libtinfo.so.6", "libz.so.1"},
		instead:   "take one that was built on Debian 12 or before, or an image of a later base (--target image:debian13)",
	},
	"image:debian13": {
		about:     "Debian 13",
		versions:  map[string]string{"GLIBC": "2.41", "GCC": "14", "GLIBCXX": "3.4.33", "CXXABI": "1.3.15", "NCURSES6_TINFO": "6.5", "ZLIB": "1.3.1"},
		libraries: []string{"libtinfo.so.6", "libz.so.1"},
		instead:   "take one that was built on Debian 13 or before",
	},
}

// system are the libraries that every base has, and that come with its loader.
var system = []string{
	"ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6",
	"libpthread.so.0", "libresolv.so.2", "librt.so.1", "libstdc++.so.6", "libutil.so.1", "linux-vdso.so.1",
}

// loaders are those of the machines that Lambda has.
var loaders = map[string]string{
	"amd64": "/lib64/ld-linux-x86-64.so.2",
	"arm64": "/lib/ld-linux-aarch64.so.1",
}

// Targets are the names that [ParseTarget] knows: the managed runtime provided.al2023,
// and images on Debian slim.
func Targets() []string { return []string{"provided.al2023", "image", "image:debian13"} }

// ParseTarget is the target with that name.
func ParseTarget(name, arch string) (Target, error) {
	b, ok := bases[name]
	if !ok {
		return Target{}, fmt.Errorf("layer: there is no target %q (there are %s)", name, strings.Join(Targets(), ", "))
	}
	if loaders[arch] == "" {
		return Target{}, fmt.Errorf("layer: there is no architecture %q (Lambda has amd64 and arm64)", arch)
	}
	return Target{Name: name, Arch: arch, base: b}, nil
}

// image says whether it is an image of its own, for which Lambda's limits of archives do
// not count.
func (t Target) image() bool { return strings.HasPrefix(t.Name, "image") }

func (t Target) String() string { return t.Name + " on " + t.Arch }

// Has are the names of the shared libraries that the base has of its own: a layer
// brings all others that it needs.
func (t Target) Has() []string { return slices.Concat(system, t.base.libraries) }

// has says whether the base has a library.
func (t Target) has(library string) bool {
	return slices.Contains(t.Has(), library)
}

// hasVersion says whether the base's library has a version such as GLIBC_2.34, and if
// not, what it has.
func (t Target) hasVersion(version string) (latest string, ok bool) {
	cut := strings.LastIndexByte(version, '_')
	if cut < 0 {
		return "", true
	}
	family, number := version[:cut], version[cut+1:]
	limit := t.base.versions[family]
	switch {
	case family == "GLIBC" && number == "PRIVATE":
		return "glibc " + limit + " of its own", false
	case limit == "" || !digits(strings.ReplaceAll(number, ".", "")):
		return "", true // not one that grows with a library's version
	case family == "GCC" && strings.HasPrefix(number+".", limit+"."):
		return "", true
	}
	return family + "_" + limit + " at most", compareVersions(number, limit) <= 0
}
