package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// layerSize is what a layer takes, for provided.al2023, whose base has libcrypto.
type layerSize struct {
	preset     string
	size, most int64 // in bytes
}

// layerMost are what the archives of layers may take.
var layerMost = []layerSize{
	{preset: "erlang", most: 6e6}, {preset: "elixir", most: 7e6}, {preset: "elixir-tls", most: 8.5e6},
}

// measureLayers makes layers of the machine's Erlang and Elixir, with the tools that are
// built in dir. Whether they would load on their target is nothing that sizes depend on.
func measureLayers(dir string) ([]layerSize, error) {
	var all []layerSize
	for _, l := range layerMost {
		archive := filepath.Join(dir, "size-"+l.preset+".zip")
		c := exec.Command(filepath.Join(dir, "beamport"), "layer", "--preset", l.preset, "--target", "provided.al2023", "--force",
			"--bootstrap", filepath.Join(dir, "bootstrap"), "-o", archive)
		if said, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("bench: beamport layer: %w: %s", err, said)
		}
		info, err := os.Stat(archive)
		if err != nil {
			return nil, err
		}
		l.size = info.Size()
		all = append(all, l)
	}
	return all, nil
}
