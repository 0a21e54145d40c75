package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A VM that crashes leaves no core dump in the little room that /tmp has.
func TestNoCoreDumps(t *testing.T) {
	root := taskRoot(t)
	p := run(t, build(t), "LAMBDA_TASK_ROOT="+root)
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.invoke(`{}`).Pid))
	require.NoError(t, err)
	assert.Regexp(t, regexp.MustCompile(`(?m)^Max core file size +0 +0 `), string(limits))
}
