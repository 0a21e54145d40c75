//go:build linux

package soak

import "regexp"

// A Kind is a way in which something goes wrong.
type Kind struct {
	Name string
	// by injects it, a number of times, into children of each make; nil where it
	// cannot be had.
	by by
}

type by [makes]func(*scenario)

// Kinds are all there are, in the order of the report.
var Kinds = []Kind{
	{"child killed", by{Light: childKilled, Server: childKilled, BEAM: childKilled, Worker: workerKilled, Socket: childKilled}},
	{"child stopped", by{Light: childStopped, BEAM: childStopped}},
	{"stopped child noticed", by{Light: stoppedNoticed, Server: stoppedNoticed, BEAM: stoppedNoticed, Worker: stoppedWorker}},
	{"exit in a call", by{Light: exitInCall, Server: exitInCall, BEAM: exitInCall, Worker: exitingWorker}},
	{"out of memory", by{Light: outOfMemory, BEAM: outOfMemory}},
	{"bad header", by{Light: badHeader, Server: badHeaderIn, Worker: badHeaderOfWorker, Socket: badHeaderIn}},
	{"wedged and orphaned", by{BEAM: wedged}},
	{"noisy stdout", by{Light: noisyStdout, Server: noisyStdout, BEAM: noisyStdout, Worker: noisyStdout}},
	{"long log line", by{Light: longLine, BEAM: longLine}},
	{"half-written reply", by{Light: halfReply, Worker: halfReplyOfWorker}},
	{"half-written request", by{Light: halfRequest, Server: halfRequest, BEAM: halfRequest, Socket: halfRequest}},
	{"oversized reply", by{Light: oversizedReply, Server: oversizedAnswer, BEAM: oversizedAnswer, Worker: oversizedAnswer, Socket: oversizedAnswer}},
	{"oversized request", by{Light: oversizedRequest, Server: oversizedRequest, BEAM: oversizedRequest, Socket: oversizedRequest}},
	{"oversized frame in", by{Server: oversizedIn, BEAM: oversizedIn, Worker: oversizedOfWorker, Socket: oversizedIn}},
	{"malformed term", by{Light: malformedTerm, Server: malformedRequest, BEAM: malformedRequest, Worker: malformedOfWorker}},
	{"unknown atom", by{BEAM: unknownAtoms, Socket: unknownAtoms}},
	{"lying ids", by{Light: lyingIDs, Worker: lyingIDs}},
	{"duplicate replies", by{Light: duplicateReplies, Worker: duplicateReplies}},
	{"slow owner", by{Light: slowOwner, BEAM: slowOwner}},
	{"full pipes", by{Light: fullPipes}},
	{"cancelled contexts", by{Light: cancelledContexts, Server: cancelledContexts, BEAM: cancelledContexts, Worker: cancelledContexts, Socket: cancelledContexts}},
	{"late replies", by{Light: lateReplies}},
	{"slow stream reader", by{Server: slowStreams, BEAM: slowStreams, Worker: slowStreams, Socket: slowStreams}},
	{"stream given up", by{Server: givenUpStreams, BEAM: givenUpStreams, Worker: givenUpStreams, Socket: givenUpStreams}},
	{"failing cast", by{Server: failingCasts, BEAM: failingCasts, Worker: failingCasts, Socket: failingCasts}},
	{"killed under a stream", by{Worker: killedUnderStream}},
	{"connection cut", by{Worker: serverCut, Socket: connectionCut}},
	{"parent killed", by{Light: parentKilled, Server: parentKilled, BEAM: parentKilled, Worker: parentKilled}},
	{"restart storm", by{Light: restartStorm, Server: restartStorm, BEAM: restartStorm}},
	{"supervised restart", by{Light: supervisedRestarts, BEAM: supervisedRestarts}},
	{"crash loop", by{Light: crashLoop}},
	{"freeze and thaw", by{Light: freezeAndThaw, Server: freezeAndThaw, BEAM: freezeAndThaw, Worker: freezeAndThaw}},
	{"pair frozen and thawed", by{Light: pairFrozen, BEAM: pairFrozen}},
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
