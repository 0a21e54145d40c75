//go:build linux

package soak

import "regexp"

// A Kind is a way in which something goes wrong.
type Kind struct {
	Name string
	// light and beam inject it, a number of times, into children of that make; nil
	// where it cannot be had.
	light, beam func(*scenario)
}

// Kinds are all there are, in the order of the report.
var Kinds = []Kind{
	{"child killed", childKilled, childKilled},
	{"child stopped", childStopped, childStopped},
	{"exit in a call", exitInCall, exitInCall},
	{"out of memory", outOfMemory, outOfMemory},
	{"bad header", badHeader, nil},
	{"noisy stdout", noisyStdout, noisyStdout},
	{"long log line", longLine, longLine},
	{"half-written frame", halfFrame, nil},
	{"oversized reply", oversizedReply, oversizedAnswer},
	{"oversized request", oversizedRequest, oversizedRequest},
	{"malformed term", malformedTerm, malformedRequest},
	{"lying ids", lyingIDs, nil},
	{"duplicate replies", duplicateReplies, nil},
	{"slow owner", slowOwner, slowOwner},
	{"full pipes", fullPipes, nil},
	{"cancelled contexts", cancelledContexts, cancelledContexts},
	{"late replies", lateReplies, nil},
	{"parent killed", parentKilled, parentKilled},
	{"restart storm", restartStorm, restartStorm},
	{"freeze and thaw", freezeAndThaw, freezeAndThaw},
	{"pair frozen and thawed", pairFrozen, pairFrozen},
}

// Select returns the kinds whose name an expression matches.
func Select(pattern string) ([]Kind, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var found []Kind
	for _, k := range Kinds {
		if re.MatchString(k.Name) {
			found = append(found, k)
		}
	}
	return found, nil
}
