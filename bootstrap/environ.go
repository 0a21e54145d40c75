package bootstrap

import (
	"slices"
	"strconv"
	"strings"
)

// environment reads the form of [os.Environ]; the last of equal names counts.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

// memorySize is the function's memory in MB, if it is known.
func memorySize(env map[string]string) (int64, bool) {
	n, err := strconv.ParseInt(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], 10, 64)
	return n, err == nil && n > 0
}

// childEnviron is an environment without what only the runtime itself may use, a
// file descriptor that the VM does not have, and without what is of one invocation.
func childEnviron(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		return strings.HasPrefix(entry, "_LAMBDA_TELEMETRY_LOG_FD=") || strings.HasPrefix(entry, "_X_AMZN_TRACE_ID=")
	})
}
