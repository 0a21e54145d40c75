package etf_test

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/beamport/beamport/etf"
)

// What a node and we agree upon in the handshake, from erl_dist_protocol.
const (
	flagExtendedReferences = 1 << 2
	flagFunTags            = 1 << 4
	flagNewFunTags         = 1 << 7
	flagExtendedPidsPorts  = 1 << 8
	flagExportPtrTag       = 1 << 9
	flagBitBinaries        = 1 << 10
	flagNewFloats          = 1 << 11
	flagHeaderAtomCache    = 1 << 13
	flagUTF8Atoms          = 1 << 16
	flagMapTag             = 1 << 17
	flagBigCreation        = 1 << 18
	flagFragments          = 1 << 23
	flagHandshake23        = 1 << 24
	flagUnlinkID           = 1 << 25
	flagV4                 = 1 << 34

	ourFlags = flagExtendedReferences | flagFunTags | flagNewFunTags | flagExtendedPidsPorts | flagExportPtrTag |
		flagBitBinaries | flagNewFloats | flagHeaderAtomCache | flagUTF8Atoms | flagMapTag | flagBigCreation |
		flagFragments | flagHandshake23 | flagUnlinkID | flagV4

	ourNode = "go@127.0.0.1"
	cookie  = "a cookie of the test's own"
)

// A node is a connection to an emulator of the test's own, as another node.
type node struct {
	t       testing.TB
	conn    net.Conn
	in      *bufio.Reader
	decoder etf.DistDecoder
	encoder etf.DistEncoder

	packets map[byte]int // that have come, by their tags
}

// connect starts an emulator that listens for distribution connections on
// loopback, without a port mapper, and connects to it.
func connect(t testing.TB) *node {
	t.Helper()
	dir := t.TempDir()
	source, err := filepath.Abs("testdata/etf_echo.erl")
	require.NoError(t, err)
	output, err := exec.Command("erlc", "+warnings_as_errors", "-o", dir, source).CombinedOutput()
	require.NoError(t, err, "this test needs Erlang/OTP (erlc and erl on the PATH): %s", output)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().(*net.TCPAddr)
	require.NoError(t, listener.Close())
	cmd := exec.Command("erl", "-noinput", "-boot", "start_clean", "-pa", dir,
		"-name", "beam@127.0.0.1", "-setcookie", cookie, "-start_epmd", "false", "-erl_epmd_port", fmt.Sprint(address.Port),
		"-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-run", "etf_echo", "main")
	cmd.Env = append(os.Environ(), "ERL_CRASH_DUMP_SECONDS=0", "HOME="+dir)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "%s%s", line, &stderr)
	require.Equal(t, "ready\n", line)

	conn, err := net.DialTCP("tcp", nil, address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	n := &node{t: t, conn: conn, in: bufio.NewReader(conn), packets: make(map[byte]int)}
	n.handshake()
	return n
}

// handshake makes the connection one between nodes.
func (n *node) handshake() {
	t := n.t
	b := binary.BigEndian.AppendUint64([]byte{'N'}, ourFlags)
	b = binary.BigEndian.AppendUint32(b, 1) // creation
	b = binary.BigEndian.AppendUint16(b, uint16(len(ourNode)))
	n.send16(append(b, ourNode...))
	require.Equal(t, "sok", string(n.receive16()))

	b = n.receive16()
	require.Equal(t, byte('N'), b[0])
	flags, challenge := binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint32(b[9:])
	require.NotZero(t, flags&flagHeaderAtomCache)
	require.NotZero(t, flags&flagFragments)

	ours := rand.Uint32()
	digest := func(challenge uint32) []byte {
		sum := md5.Sum(fmt.Append([]byte(cookie), challenge))
		return sum[:]
	}
	n.send16(append(binary.BigEndian.AppendUint32([]byte{'r'}, ours), digest(challenge)...))
	require.Equal(t, append([]byte{'a'}, digest(ours)...), n.receive16())
}

func (n *node) send16(b []byte) {
	_, err := n.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	require.NoError(n.t, err)
}

func (n *node) receive16() []byte {
	var head [2]byte
	_, err := io.ReadFull(n.in, head[:])
	require.NoError(n.t, err)
	b := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err = io.ReadFull(n.in, b)
	require.NoError(n.t, err)
	return b
}

func (n *node) send(packet []byte) {
	_, err := n.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...))
	require.NoError(n.t, err)
}

// receive returns the next message that is sent to a process of ours.
func (n *node) receive() etf.Term {
	for {
		var head [4]byte
		_, err := io.ReadFull(n.in, head[:])
		require.NoError(n.t, err)
		size := binary.BigEndian.Uint32(head[:])
		if size == 0 { // a tick, which wants one back
			n.send(nil)
			continue
		}
		packet := make([]byte, size)
		_, err = io.ReadFull(n.in, packet)
		require.NoError(n.t, err)
		n.packets[packet[1]]++
		m, complete, err := n.decoder.Decode(packet)
		require.NoError(n.t, err, "%x", packet[:min(len(packet), 200)])
		if op, _ := m.Control.At(0).Int64(); complete && (op == 2 || op == 22) { // SEND, SEND_SENDER
			return m.Payload
		}
	}
}

// TestDistributionWithErlang sends terms to a process on a real node, which
// sends them back, through both atom caches and in fragments of all sizes.
func TestDistributionWithErlang(t *testing.T) {
	n := connect(t)
	self := etf.PidValue{Node: ourNode, ID: 42, Creation: 1}
	control := etf.Tuple(etf.Int(6), etf.Pid(self), etf.Atom(""), etf.Atom("echo")) // REG_SEND
	sent := 0
	echo := func(term etf.Term, size int) {
		packets, err := n.encoder.Fragments(etf.DistMessage{Control: control, Payload: etf.Tuple(etf.Pid(self), term)}, uint64(sent+1), size)
		require.NoError(t, err)
		for _, packet := range packets {
			n.send(packet)
		}
		sent++
		got := n.receive()
		require.True(t, etf.Equal(term, got), "%.300s came back as %.300s", term, got)
	}
	for i := range 1200 {
		if term := example(50_000 + i); !zeroInAMap(term) && !contains(term, isRecord) {
			echo(term, 1+i*7%400)
		}
	}

	// Far more atoms than a header has references and a cache has slots, some
	// longer than a byte can say, and again.
	var atoms []etf.Term
	for i := range 3000 {
		atoms = append(atoms, etf.Atom(fmt.Sprint("atom", i)), etf.Atom(strings.Repeat("λ", i%250)))
	}
	for i := range 30 {
		echo(etf.List(atoms[i*190:i*190+300]...), 10_000)
		echo(etf.List(atoms[i*20:i*20+30]...), 10_000)
	}
	require.Greater(t, n.packets[68], 1000)
	require.Zero(t, n.packets[70])

	// Larger than what a node sends in one piece.
	big := etf.Tuple(etf.Binary(bytes.Repeat([]byte("beam"), 1<<17)), etf.List(atoms...), etf.Charlist(strings.Repeat("a", 1<<17)))
	for _, size := range []int{64 << 10, 1 << 20, 1000} {
		echo(big, size)
	}
	require.Equal(t, 3, n.packets[69])
	require.Greater(t, n.packets[70], 9)
	require.Empty(t, n.decoder.Incomplete())
}
