//go:build !linux

package otporacle

import "syscall"

// diesWithParent leaves it to the child to see the end of its input.
func diesWithParent() *syscall.SysProcAttr { return nil }
