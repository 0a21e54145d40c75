package layer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/beamport/beamport/beam"
	"github.com/beamport/beamport/etf"
)

// otp is an installation of Erlang/OTP to take from.
type otp struct {
	beam.Installation
	erts string // the emulator's version
	apps apps
	// start is the installation's own boot script.
	start etf.Term
}

// readOTP reads the installation in root, or that of the machine if root is "".
func readOTP(root string) (*otp, error) {
	search := beam.Search{ErlangHome: root}
	if root == "" {
		search = beam.DefaultSearch(os.Environ())
		search.Dir = "" // beside this program there may be a layer's
	}
	installed, err := beam.Find(search)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "beam: ")
		if root != "" { // it is not from the environment
			text = strings.TrimSuffix(text, " (ERLANG_HOME)") + " (--otp)"
		}
		return nil, fmt.Errorf("layer: %s", text)
	}
	o := &otp{Installation: installed, erts: strings.TrimPrefix(filepath.Base(filepath.Dir(installed.BinDir)), "erts-")}
	if o.apps, err = readApps(filepath.Join(o.Root, "lib")); err != nil {
		return nil, err
	}
	for _, name := range []string{"kernel", "stdlib"} {
		if o.apps[name] == nil {
			return nil, fmt.Errorf("layer: %s has no application %s", o.Root, name)
		}
	}
	b, err := os.ReadFile(o.Boot + ".boot")
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	if o.start, err = etf.Decode(b); err != nil || o.start.Len() != 3 {
		return nil, fmt.Errorf("layer: %s.boot is no boot script: %w", o.Boot, err)
	}
	return o, nil
}

// elixir is an installation of Elixir to take from.
type elixir struct {
	root string // holds lib/elixir/ebin
	apps apps
}

// readElixir reads the installation in root, or that of the machine if root is "". It
// is nil where there is none on the machine.
func readElixir(root string) (*elixir, error) {
	search := beam.Search{ElixirHome: root}
	if root == "" {
		search = beam.DefaultSearch(os.Environ())
		search.Dir = ""
	}
	ebins, ok := beam.FindElixir(search)
	if !ok {
		if root != "" {
			return nil, fmt.Errorf("layer: %s holds no Elixir (lib/elixir/ebin)", root)
		}
		return nil, nil
	}
	lib := filepath.Dir(filepath.Dir(ebins[0]))
	all, err := readApps(lib)
	if err != nil {
		return nil, err
	}
	return &elixir{root: filepath.Dir(lib), apps: all}, nil
}
