// Package layer packs what a function needs on Lambda: layers with an Erlang, Elixir
// and the runtime, and archives of functions.
//
// A layer is the content of /opt: the program bootstrap, an Erlang without what only
// developers need (erlang/), Elixir (elixir/), the application beamport (beam/), shared
// libraries that Lambda's image lacks (lib/), and boot scripts (boot/). A function's
// archive is the content of its task root, with a boot script of its own that loads
// what its handler needs in one go.
//
// Boot scripts are made from the modules themselves: of the calls from function to
// function, those are followed that a handler leads to. The rest is loaded when it is
// called.
//
// The same input makes the same bytes.
package layer
