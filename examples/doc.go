// Package examples holds functions for Lambda, each a project as its language
// has them, and events to invoke them with. Its tests build and run them all.
package examples
