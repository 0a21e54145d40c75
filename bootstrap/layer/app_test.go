package layer

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadApps(t *testing.T) {
	dir := t.TempDir()
	write(t, `%% old
{application, one, [{vsn, "1.9"}]}.`, dir, "one-1.9", "ebin", "one.app")
	write(t, `{application, one, [{vsn, "1.10"}, {description, "ä"}, {applications, [kernel, two, gone]},
		{included_applications, [three]}, {optional_applications, [gone]}, {mod, {one_app, []}}, {env, [{key, "value"}]}]}.`,
		dir, "one-1.10", "ebin", "one.app")
	write(t, `{application, two, [{vsn, "1"}, {applications, [one]}]}.`, dir, "two", "ebin", "two.app")
	write(t, `{application, three, []}.`, dir, "three", "ebin", "three.app")
	write(t, `{application, kernel, []}.`, dir, "kernel", "ebin", "kernel.app")
	write(t, `{application, alone, [{applications, [missing]}]}.`, dir, "alone", "ebin", "alone.app")
	write(t, "", dir, "left-behind", "ebin", "x.beam")
	all, err := readApps(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"alone", "kernel", "one", "three", "two"}, all.names())
	one := all["one"]
	assert.Equal(t, "1.10", one.version, "1.10 comes after 1.9")
	assert.Equal(t, "one_app", one.mod)
	assert.Len(t, one.env, 1)

	// Those that others need come before them, also where they need one another.
	order, err := all.closure("one")
	require.NoError(t, err)
	var names []string
	for _, a := range order {
		names = append(names, a.name)
	}
	assert.Equal(t, []string{"kernel", "two", "three", "one"}, names)

	_, err = all.closure("alone")
	assert.EqualError(t, err, "layer: there is no application missing, which alone needs")
	_, err = all.closure("nope")
	assert.EqualError(t, err, "layer: there is no application nope (there are alone, kernel, one, three, two)")
}

func TestReadAppFailures(t *testing.T) {
	dir := t.TempDir()
	_, err := readApp(dir)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	for text, want := range map[string]string{
		"{application, one":           "one.app: etf: ",
		"{release, one, []}.":         "one.app describes no application",
		`{application, "one", []}.`:   "one.app: the application's name is no atom",
		"{application, one, [], {}}.": "one.app describes no application",
	} {
		write(t, text, dir, "one.app")
		_, err := readApp(dir)
		assert.ErrorContains(t, err, want, text)
	}
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"", "1", "1.2", "1.2.1", "1.10", "1.10.0", "2", "10"}
	for i, a := range ascending {
		for j, b := range ascending {
			got := compareVersions(a, b)
			switch {
			case i < j:
				assert.Negative(t, got, "%q and %q", a, b)
			case i == j:
				assert.Zero(t, got)
			default:
				assert.Positive(t, got, "%q and %q", a, b)
			}
		}
	}
}
