// Package examples holds functions for Lambda, each a project as its language
// has them, with events to invoke them with; and programs on both sides of a bridge
// between Go and the BEAM. Its tests build and run them all.
package examples
