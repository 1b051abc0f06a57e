// witness_client asks a tlog-witness everything its specification says it must answer, right and wrong.
//
//	witness_client -url URL -witness VKEY -log KEYFILE -log2 KEYFILE
//
// Both logs must be known to the witness and new to it. With -expect N it only checks, after a restart of the
// witness, that the first log is still remembered at N entries.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var (
	url        = flag.String("url", "", "submission and monitoring prefix of the witness")
	witnessKey = flag.String("witness", "", "verifier key of the witness")
	logFile    = flag.String("log", "", "key file of a log the witness knows")
	logFile2   = flag.String("log2", "", "key file of another one")
	expect     = flag.Int64("expect", -1, "only ask whether the witness remembers this size")
	monitored  = flag.Bool("monitored", true, "the witness serves checkpoints to monitors")
)

var (
	failures int
	witness  vkey
	client   = &http.Client{Timeout: 20 * time.Second}
)

func check(ok bool, format string, args ...interface{}) {
	verdict := "ok  "
	if !ok {
		verdict = "FAIL"
		failures++
	}
	fmt.Printf("%s %s\n", verdict, fmt.Sprintf(format, args...))
}

func must(err error) {
	if err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
}

// testLog is a growing log held in memory.
type testLog struct {
	signer
	tree
}

func loadLog(path string, leaves int) *testLog {
	s, err := loadSigner(path)
	must(err)
	l := &testLog{signer: s}
	for i := 0; i < leaves; i++ {
		l.append(tlog.RecordHash([]byte(fmt.Sprintf("%s %d", s.name, i))))
	}
	return l
}

func (l *testLog) head(size int64) checkpoint {
	root, err := l.root(size)
	must(err)
	return checkpoint{origin: l.name, size: size, root: root}
}

func (l *testLog) proof(old, size int64) []tlog.Hash {
	if old == 0 || old == size {
		return nil
	}
	proof, err := tlog.ProveTree(size, old, l)
	must(err)
	return proof
}

func body(old int64, proof []tlog.Hash, signed []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, hash := range proof {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(hash[:]))
	}
	fmt.Fprintf(&b, "\n%s", signed)
	return b.Bytes()
}

type answer struct {
	status int
	kind   string
	text   string
}

func post(request []byte) answer {
	response, err := client.Post(*url+"/add-checkpoint", "text/plain", bytes.NewReader(request))
	must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	must(err)
	return answer{response.StatusCode, response.Header.Get("Content-Type"), string(text)}
}

func refused(status int, request []byte, format string, args ...interface{}) answer {
	a := post(request)
	check(a.status == status, "%d for %s (got %d)", status, fmt.Sprintf(format, args...), a.status)
	return a
}

// conflict expects 409 with the size that the witness remembers.
func conflict(size int64, request []byte, format string, args ...interface{}) {
	a := refused(http.StatusConflict, request, format, args...)
	check(a.text == fmt.Sprintf("%d\n", size) && strings.HasPrefix(a.kind, "text/x.tlog.size"),
		"  and names size %d as text/x.tlog.size (got %q, %q)", size, a.text, a.kind)
}

// accepted expects 200 and a cosignature of this very checkpoint, of now.
func accepted(signed, request []byte, format string, args ...interface{}) {
	a := refused(http.StatusOK, request, format, args...)
	n, err := note.Open(append(append([]byte{}, signed...), a.text...), note.VerifierList(witness))
	check(err == nil && len(n.Sigs) == 1, "  and the cosignature verifies (%v)", err)
	if err != nil {
		return
	}
	age := time.Since(cosignatureTime(n.Sigs[0]))
	check(age > -time.Minute && age < time.Minute, "  and is of now (%v old)", age)
}

func (l *testLog) grow(old, size int64) []byte {
	return body(old, l.proof(old, size), l.signed(l.head(size)))
}

func main() {
	flag.Parse()
	var err error
	witness, err = parseVkey(*witnessKey)
	must(err)
	first := loadLog(*logFile, 1000)
	if *expect >= 0 {
		conflict(*expect, first.grow(0, *expect+1), "an old size of 0 after a restart")
		accepted(first.signed(first.head(*expect)), first.grow(*expect, *expect), "the same checkpoint again")
		finish()
	}
	second := loadLog(*logFile2, 100)

	unknown(first)
	growth(first)
	badProofs(first)
	malformed(first)
	zero(second)
	race(first)
	if *monitored {
		monitor(first)
	}
	finish()
}

func finish() {
	fmt.Printf("%d failures\n", failures)
	if failures > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}

func unknown(l *testLog) {
	stranger := &testLog{signer: newSigner("stranger.example/log", algEd25519), tree: l.tree}
	refused(http.StatusNotFound, stranger.grow(0, 5), "a log it does not know")
	impostor := &testLog{signer: newSigner(l.name, algEd25519), tree: l.tree}
	refused(http.StatusForbidden, impostor.grow(0, 5), "a signature by another key of that name")
	signed := l.signed(l.head(5))
	other := l.head(6)
	forged := append([]byte(other.text()), signed[bytes.Index(signed, []byte("\n\n"))+1:]...)
	refused(http.StatusForbidden, body(0, nil, forged), "a known key's signature of something else")
}

func growth(l *testLog) {
	accepted(l.signed(l.head(5)), l.grow(0, 5), "a first checkpoint")
	conflict(5, l.grow(0, 7), "an old size of 0 when it has 5")
	accepted(l.signed(l.head(5)), l.grow(5, 5), "the same checkpoint again")
	accepted(l.signed(l.head(300)), l.grow(5, 300), "growth 5 → 300")
	conflict(300, l.grow(5, 400), "an old size that it has left behind")
	conflict(300, l.grow(400, 500), "an old size that it has not reached")
	two, err := note.Sign(&note.Note{Text: l.head(301).text()}, l.signer, newSigner("someone.example", algEd25519))
	must(err)
	accepted(two, body(300, l.proof(300, 301), two), "a second signature by nobody it knows")
}

func badProofs(l *testLog) {
	good := l.proof(301, 500)
	signed := l.signed(l.head(500))
	bent := append([]tlog.Hash{}, good...)
	bent[0][0] ^= 1
	refused(http.StatusUnprocessableEntity, body(301, bent, signed), "a proof with one bit changed")
	refused(http.StatusUnprocessableEntity, body(301, good[:len(good)-1], signed), "a proof cut short")
	refused(http.StatusUnprocessableEntity, body(301, append(good, good[0]), signed), "a proof with a line too many")
	refused(http.StatusUnprocessableEntity, body(301, nil, signed), "no proof at all")
	fork := &testLog{signer: l.signer}
	for i := int64(0); i < 500; i++ {
		fork.append(tlog.RecordHash([]byte(fmt.Sprintf("fork %d", i))))
	}
	refused(http.StatusUnprocessableEntity, fork.grow(301, 500), "a fork, proven in itself")
	refused(http.StatusUnprocessableEntity, fork.grow(301, 301), "another root at the same size")
	refused(http.StatusBadRequest, nil, "an empty body")
	shrunk := body(301, nil, l.signed(l.head(200)))
	refused(http.StatusBadRequest, shrunk, "a checkpoint smaller than its old size")
}

func malformed(l *testLog) {
	good := string(l.grow(301, 302))
	for what, request := range map[string]string{
		"an old size with a leading zero": strings.Replace(good, "old 301", "old 0301", 1),
		"no old line":                     strings.SplitN(good, "\n", 2)[1],
		"a negative old size":             strings.Replace(good, "old 301", "old -301", 1),
		"a proof line that is no base64":  strings.Replace(good, "\n", "\n***\n", 1),
		"no empty line":                   strings.Replace(good, "\n\n", "\n", 1),
	} {
		refused(http.StatusBadRequest, []byte(request), "%s", what)
	}
	long := strings.Replace(good, "\n", "\n"+strings.Repeat(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n", 64), 1)
	a := post([]byte(long))
	check(a.status >= 400 && a.status < 500, "refuses 64 more proof lines (got %d)", a.status)
	response, err := client.Get(*url + "/add-checkpoint")
	must(err)
	response.Body.Close()
	check(response.StatusCode >= 400 && response.StatusCode < 500, "refuses GET (got %d)", response.StatusCode)
}

func zero(l *testLog) {
	empty := l.head(0)
	bent := empty
	bent.root[0] ^= 1
	refused(http.StatusUnprocessableEntity, body(0, nil, l.signed(bent)), "an empty tree with a wrong root")
	accepted(l.signed(empty), body(0, nil, l.signed(empty)), "an empty tree")
	refused(http.StatusUnprocessableEntity, body(0, []tlog.Hash{{1}}, l.signed(l.head(9))), "a proof from nothing")
	accepted(l.signed(l.head(1)), l.grow(0, 1), "growth 0 → 1")
	accepted(l.signed(l.head(100)), l.grow(1, 100), "growth 1 → 100")
}

// race sends many growths from one old size at once: exactly one may win.
func race(l *testLog) {
	const racers = 16
	answers := make([]answer, racers)
	var all sync.WaitGroup
	for i := range answers {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			answers[i] = post(l.grow(301, int64(302+i)))
		}(i)
	}
	all.Wait()
	won, lost := 0, 0
	var size int64
	for i, a := range answers {
		if a.status == http.StatusOK {
			won++
			size = int64(302 + i)
		} else if a.status == http.StatusConflict {
			lost++
		}
	}
	check(won == 1 && lost == racers-1, "of %d growths at once one wins (%d won, %d lost)", racers, won, lost)
	accepted(l.signed(l.head(900)), l.grow(size, 900), "growth %d → 900 after the race", size)
}

func monitor(l *testLog) {
	get := func(origin string) (int, []byte) {
		response, err := client.Get(fmt.Sprintf("%s/%x/checkpoint", *url, sha256.Sum256([]byte(origin))))
		must(err)
		defer response.Body.Close()
		text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		must(err)
		return response.StatusCode, text
	}
	status, text := get(l.name)
	head, err := openCheckpoint(text, []vkey{l.vkey}, []vkey{witness})
	check(status == http.StatusOK && err == nil && head.size == 900 && len(head.sigs) == 2,
		"monitors see 900 entries, signed by log and witness (%d, %d, %v)", status, head.size, err)
	status, _ = get("never.example/seen")
	check(status == http.StatusNotFound, "monitors get 404 for a log it never saw (got %d)", status)
}
