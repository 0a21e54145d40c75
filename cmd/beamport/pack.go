package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/beamport/beamport/bootstrap/layer"
	"github.com/beamport/beamport/internal/elffile"
)

// bar shows how far something has come, on the line where the cursor is.
type bar struct {
	w     io.Writer
	label string
	last  int64
}

const barWidth = 32

func (b *bar) show(done, total int64) {
	permille := done * 1000 / max(total, 1)
	if permille == b.last && done < total {
		return
	}
	b.last = permille
	full := int(permille) * barWidth / 1000
	fmt.Fprintf(b.w, "\r%s [%s%s] %3d %%", b.label, strings.Repeat("█", full), strings.Repeat("░", barWidth-full), permille/10)
}

func (b *bar) clear() { fmt.Fprint(b.w, "\r\x1b[K") }

// progress is a bar for a person; of others, nobody reads it.
func (c *console) progress(label string) (show func(done, total int64), clear func()) {
	if !c.errTTY {
		return nil, func() {}
	}
	b := &bar{w: c.err, label: label, last: -1}
	return b.show, b.clear
}

func megabytes(n int64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	default:
		return fmt.Sprintf("%.2f MB", float64(n)/1e6)
	}
}

// printReport prints a table of what was packed.
func (c *console) printReport(file string, r *layer.Report) {
	width := len("total")
	for _, p := range r.Parts {
		width = max(width, len(p.Name))
	}
	line := func(name, files, source, raw, zipped, share string) string {
		return fmt.Sprintf("%-*s  %5s  %9s  %9s  %9s  %6s", width, name, files, source, raw, zipped, share)
	}
	var b strings.Builder
	fmt.Fprintln(&b, c.outStyle.dim(line("", "files", "installed", "packed", "zipped", "")))
	row := func(p layer.Part) string {
		return line(p.Name, fmt.Sprint(p.Files), megabytes(p.Source), megabytes(p.Raw), megabytes(p.Zipped),
			fmt.Sprintf("%.1f %%", 100*float64(p.Zipped)/float64(max(r.Total.Zipped, 1))))
	}
	for _, p := range r.Parts {
		fmt.Fprintln(&b, row(p))
	}
	fmt.Fprintln(&b, c.outStyle.bold(row(r.Total)))
	unzipped := megabytes(r.Unzipped)
	if r.Limit > 0 {
		unzipped = fmt.Sprintf("%.1f %% of the %d MB that Lambda allows a function and its layers", 100*float64(r.Unzipped)/float64(r.Limit), r.Limit>>20)
	}
	if r.Unzipped > r.Total.Raw {
		unzipped = "with its layers, " + unzipped
	}
	fmt.Fprintf(&b, "\n%s: %s, unzipped %s\n", file, megabytes(r.Total.Zipped), unzipped)
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "%s %s\n", c.outStyle.yellow("note:"), note)
	}
	fmt.Fprint(c.out, b.String())
}

// writeFile has a file written as a whole: where that fails, the one that was there stays.
func writeFile(name string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(name)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s cannot be written: there is no folder %s", name, dir)
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return fmt.Errorf("%s cannot be written: it is a folder, and -o names a file", name)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+"-*")
	if err != nil {
		if path := new(fs.PathError); errors.As(err, &path) {
			err = path.Err // the name is of no use to anybody
		}
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return nil
}

// bootstrapPackage is the program that Lambda starts.
const bootstrapPackage = "github.com/beamport/beamport/cmd/bootstrap"

// findBootstrap finds the program bootstrap for linux and arch: the one beside this
// program, or else one that Go builds, where there is Go and the module can be had from
// the working directory.
func findBootstrap(ctx context.Context, arch string) (file string, remove func(), err error) {
	none := func() {}
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			for _, name := range []string{"bootstrap-" + arch, "bootstrap"} {
				file := filepath.Join(filepath.Dir(self), name)
				if b, err := os.ReadFile(file); err == nil {
					if f, err := elffile.Read(b); err == nil && f.Arch() == arch {
						return file, none, nil
					}
				}
			}
		}
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", none, fmt.Errorf("there is no program bootstrap for linux/%s beside this one, and no Go to build it with: name it with --bootstrap", arch)
	}
	dir, err := os.MkdirTemp("", "beamport-bootstrap-")
	if err != nil {
		return "", none, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	file = filepath.Join(dir, "bootstrap")
	build := exec.CommandContext(ctx, goTool, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, bootstrapPackage)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		remove()
		return "", none, fmt.Errorf("building bootstrap for linux/%s (--bootstrap names one that is built): %w: %s", arch, err, strings.TrimSpace(string(said)))
	}
	return file, remove, nil
}
