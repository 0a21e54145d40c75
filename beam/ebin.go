package beam

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed ebin/*.beam ebin/*.app
var carried embed.FS

// Application is the compiled application: the files of its ebin folder.
func Application() fs.FS {
	files, err := fs.Sub(carried, "ebin")
	if err != nil {
		panic(err) // the name is valid
	}
	return files
}

// Ebin returns a folder that holds the compiled application: beam/ebin in dir,
// the executable's folder, where there is one, else a new private folder to
// which the carried files are written. remove deletes what was written; it is
// never nil.
func Ebin(dir string) (path string, remove func() error, err error) {
	nothing := func() error { return nil }
	if dir != "" {
		path = filepath.Join(dir, "beam", "ebin")
		if _, err := os.Stat(filepath.Join(path, "beamport.app")); err == nil {
			return path, nothing, nil
		}
	}
	// MkdirTemp makes a folder that nobody else can write to, under a name that
	// nobody could have taken before.
	path, err = os.MkdirTemp("", "beamport-ebin-")
	if err != nil {
		return "", nothing, fmt.Errorf("beam: writing the OTP application out: %w", err)
	}
	remove = func() error { return os.RemoveAll(path) }
	if err := extract(path); err != nil {
		_ = remove()
		return "", nothing, fmt.Errorf("beam: writing the OTP application out: %w", err)
	}
	return path, remove, nil
}

func extract(to string) error {
	return os.CopyFS(to, Application())
}
