package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// snapStart is the label of an image that SnapStart may take a snapshot of, without which
// the publishing of a version fails:
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html
const snapStart = "com.amazonaws.lambda.feature.snapstart"

// packedStage is the stage of a Dockerfile in which beamport packs.
const packedStage = "packed"

// programs are those of that stage that are run here. Mix's fetch from registries that are
// not to be had everywhere.
var programs = []string{"beamport", "mkdir"}

// dockerfiles reads Dockerfiles as Docker does, and runs what packs in them.
type dockerfiles struct {
	// repository is the context that they are built in, and tools the folder of beamport
	// and bootstrap.
	repository, tools string
}

func (d dockerfiles) check(_ string, b []byte) error {
	parsed, err := parser.Parse(bytes.NewReader(b))
	if err != nil {
		return err
	}
	for _, w := range parsed.Warnings {
		return errors.New(w.Short)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return err
	}
	packed := slices.IndexFunc(stages, func(s instructions.Stage) bool { return s.Name == packedStage })
	if packed < 0 {
		return fmt.Errorf("it has no stage %s", packedStage)
	}
	handler, err := d.pack(stages[packed])
	if err != nil {
		return err
	}
	return image(stages[len(stages)-1], handler)
}

// image says what the image's stage lacks.
func image(s instructions.Stage, handler string) error {
	var allowed, entry bool
	var command []string
	for _, c := range s.Commands {
		switch c := c.(type) {
		case *instructions.LabelCommand:
			for _, l := range c.Labels {
				allowed = allowed || l.Key == snapStart && strings.Trim(l.Value, `"`) == "Allow"
			}
		case *instructions.EntrypointCommand:
			entry = !c.PrependShell && slices.Equal(c.CmdLine, []string{"/opt/bootstrap"})
		case *instructions.CmdCommand:
			command = c.CmdLine
		case *instructions.EnvCommand:
			for _, v := range c.Env {
				if v.Key == "_HANDLER" {
					return errors.New("_HANDLER is Lambda's own: an image names its handler as the command")
				}
			}
		}
	}
	switch {
	case !allowed:
		return fmt.Errorf("its image lacks the label %s=\"Allow\"", snapStart)
	case !entry:
		return errors.New("its image does not start /opt/bootstrap")
	case !slices.Equal(command, []string{handler}):
		return fmt.Errorf("its image's command is %q, and what is packed is for %s", command, handler)
	}
	return nil
}

// pack does what the stage does, in a folder that stands for the root of its files.
func (d dockerfiles) pack(s instructions.Stage) (handler string, err error) {
	root, err := os.MkdirTemp("", "beamport-dockerfile-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	values := map[string]string{}
	for _, c := range s.Commands {
		switch c := c.(type) {
		case *instructions.ArgCommand:
			for _, a := range c.Args {
				if a.Value != nil {
					values[a.Key] = *a.Value
				}
			}
		case *instructions.CopyCommand:
			err = d.copy(root, c, values)
		case *instructions.RunCommand:
			for line := range strings.SplitSeq(strings.Join(c.CmdLine, " "), "&&") {
				if err == nil {
					err = d.run(root, strings.TrimSpace(line), values)
				}
			}
		}
		if err != nil {
			return "", err
		}
	}
	for _, name := range []string{"layer.zip", "function.zip"} {
		if _, err := os.Stat(filepath.Join(root, "out", name)); err != nil {
			return "", fmt.Errorf("it packs no %s: %w", name, err)
		}
	}
	return values["HANDLER"], nil
}

// copy copies from the repository, or the programs that another stage has built.
func (d dockerfiles) copy(root string, c *instructions.CopyCommand, values map[string]string) error {
	from := filepath.Join(d.repository, os.Expand(c.SourcePaths[0], func(name string) string { return values[name] }))
	if c.From != "" {
		from = d.tools
	}
	return os.CopyFS(filepath.Join(root, c.DestPath), os.DirFS(from))
}

// run runs one command of a line.
func (d dockerfiles) run(root, line string, values map[string]string) error {
	words := strings.Fields(line)
	if len(words) == 0 || !slices.Contains(programs, words[0]) {
		return nil
	}
	if slices.Contains(words, "provided.al2023") {
		line += " --force" // the machine's Erlang may not be one for it
	}
	// Paths of the image are those of the folder.
	line = strings.NewReplacer(" /", " "+root+"/").Replace(line)
	c := exec.Command("sh", "-ec", line)
	c.Dir = root
	c.Env = append(os.Environ(), "MIX_ENV=prod", "LANG=C.UTF-8", "PATH="+filepath.Join(root, "usr/local/bin")+":"+os.Getenv("PATH"))
	for name, value := range values {
		c.Env = append(c.Env, name+"="+value)
	}
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", words[0], err, bytes.TrimSpace(said))
	}
	return nil
}
