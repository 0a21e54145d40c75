//go:build !linux

package await

const supported = false

func readable(uintptr) {}
