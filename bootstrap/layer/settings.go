package layer

import (
	"fmt"
	"maps"
	"slices"

	"github.com/beamport/beamport/etf"
)

// setting is a value of an application's environment.
type setting struct{ key, value etf.Term }

// readSettings reads [{Application, [{Key, Value}]}].
func readSettings(t etf.Term) (map[string][]setting, error) {
	all := map[string][]setting{}
	for application := range t.All() {
		name, ok := application.At(0).AtomName()
		if !ok || application.Len() != 2 {
			return nil, fmt.Errorf("%v configures no application", application)
		}
		for pair := range application.At(1).All() {
			if pair.Len() != 2 {
				return nil, fmt.Errorf("the environment of %s has something that is not a key with a value", name)
			}
			all[name] = append(all[name], setting{pair.At(0), pair.At(1)})
		}
	}
	return all, nil
}

// settingsTerm is the inverse.
func settingsTerm(all map[string][]setting) etf.Term {
	applications := make([]etf.Term, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs := make([]etf.Term, len(all[name]))
		for i, s := range all[name] {
			pairs[i] = etf.Tuple(s.key, s.value)
		}
		applications = append(applications, etf.Tuple(etf.Atom(name), etf.List(pairs...)))
	}
	return etf.List(applications...)
}

// configured is an application with its environment changed, as that of one is when a
// configuration is loaded with it.
func (a *app) configured(settings []setting) *app {
	if len(settings) == 0 {
		return a
	}
	env := make([]etf.Term, 0, len(a.env)+len(settings))
	for _, value := range a.env {
		replaced := false
		for _, s := range settings {
			replaced = replaced || etf.Equal(s.key, value.At(0))
		}
		if !replaced {
			env = append(env, value)
		}
	}
	for _, s := range settings {
		env = append(env, etf.Tuple(s.key, s.value))
	}
	var properties []etf.Term
	for property := range a.spec.At(2).All() {
		if !property.At(0).IsAtom("env") {
			properties = append(properties, property)
		}
	}
	properties = append(properties, etf.Tuple(etf.Atom("env"), etf.List(env...)))
	changed := *a
	changed.env = env
	changed.spec = etf.Tuple(a.spec.At(0), a.spec.At(1), etf.List(properties...))
	return &changed
}
