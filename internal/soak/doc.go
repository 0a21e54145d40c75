// Package soak makes everything go wrong that can go wrong between a program and its
// child, very often, and checks that port loses nothing, mixes nothing up and leaks
// nothing meanwhile. Command soak is its front end. It runs on Linux.
package soak
