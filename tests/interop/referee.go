// referee verifies a log of the C2SP family from the outside: it shares no code with Hygie.
//
// Everything is derived again: entries → every tile → root; the checkpoint's signature and origin; a quorum of
// cosignatures by different keys; their freshness; consistency with an older checkpoint. Any doubt ends with exit
// code 1 and one line that says which.
//
// On any Debian 12: apt install golang-go golang-golang-x-mod-dev, then, in this directory,
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o referee referee.go c2sp.go
package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	checkpointBytesMax = 1 << 20
	resourceBytesMax   = tileWidth * (2 + 65535)
)

type keys []vkey

func (k *keys) String() string { return fmt.Sprint(*k) }
func (k *keys) Set(text string) error {
	v, err := parseVkey(text)
	*k = append(*k, v)
	return err
}

var (
	logKeys   keys
	witnesses keys
	quorum    = flag.Int("quorum", 0, "how many different witnesses must have cosigned")
	origin    = flag.String("origin", "", "the log's origin (default: the name of its first key)")
	maxAge    = flag.Duration("max-age", 0, "refuse when fewer than -quorum cosignatures are younger than this")
	pin       = flag.String("pin", "", "file of an older checkpoint that this log must extend")
	minIndex  = flag.Int64("min-index", 0, "entries below this may have been pruned (tlog-tiles)")
	proofFile = flag.String("proof", "", "verify this .tlog-proof instead of a log")
	entryFile = flag.String("entry", "", "with -proof: the entry itself (default: the proof's extra line)")
	proveAt   = flag.Int64("prove", -1, "print a tlog-proof of this index once the log is verified")
)

func main() {
	flag.Var(&logKeys, "vkey", "verifier key of the log; again for another key epoch")
	flag.Var(&witnesses, "witness", "verifier key of a trusted witness; again for each")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "referee -vkey KEY [-witness KEY]… [-quorum K] [-max-age D] [-pin FILE] DIR|URL")
		fmt.Fprintln(os.Stderr, "referee -vkey KEY [-witness KEY]… [-quorum K] -proof FILE [-entry FILE]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(); err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(logKeys) == 0 {
		return errors.New("no -vkey: a log without a key proves nothing")
	}
	if *origin == "" {
		*origin = logKeys[0].name
	}
	if *proofFile != "" {
		return verifyProof()
	}
	if flag.NArg() != 1 {
		return errors.New("name one log directory or URL")
	}
	source := flag.Arg(0)
	msg, err := fetch(source, "checkpoint", checkpointBytesMax)
	if err != nil {
		return err
	}
	head, err := trusted(msg)
	if err != nil {
		return err
	}
	t, err := derive(source, head.size)
	if err != nil {
		return err
	}
	if err := checkHead(t, head); err != nil {
		return err
	}
	if err := checkPin(t, head); err != nil {
		return err
	}
	if *proveAt >= 0 {
		return prove(t, head, msg)
	}
	fmt.Printf("VERIFIED: %s, %d entries, root %s\n", head.origin, head.size, head.root)
	return nil
}

// trusted opens a checkpoint and applies origin, quorum and freshness.
func trusted(msg []byte) (checkpoint, error) {
	head, err := openCheckpoint(msg, logKeys, witnesses)
	if err != nil {
		return head, err
	}
	if head.origin != *origin {
		return head, fmt.Errorf("checkpoint of %q, not of %q", head.origin, *origin)
	}
	cosigned := map[string]bool{}
	for _, sig := range head.sigs {
		for _, w := range witnesses {
			fresh := w.alg == algCosignature && (*maxAge == 0 || time.Since(cosignatureTime(sig)) <= *maxAge)
			if sig.Name == w.name && sig.Hash == w.hash && fresh {
				cosigned[string(w.key)] = true
			}
		}
	}
	if len(cosigned) < *quorum {
		return head, fmt.Errorf("%d fresh cosignatures by trusted witnesses, %d asked", len(cosigned), *quorum)
	}
	return head, nil
}

// derive reads every entry and every tile and compares the tiles with those that the entries make.
func derive(source string, size int64) (*tree, error) {
	t := new(tree)
	for n := int64(0); tileWidthAt(size, 0, n) > 0; n++ {
		if err := appendBundle(t, source, n, tileWidthAt(size, 0, n)); err != nil {
			return nil, err
		}
	}
	err := tiles(size, func(level int, n int64, width int) error {
		stored, err := fetchTile(source, level, n, width)
		if err == nil && !bytes.Equal(stored, t.tile(level, n, width)) {
			err = fmt.Errorf("%s is not what the entries hash to", resourcePath(strconv.Itoa(level), n, width))
		}
		return err
	})
	return t, err
}

func appendBundle(t *tree, source string, n int64, width int) error {
	path := resourcePath("entries", n, width)
	bundle, err := fetchEither(source, "entries", n, width)
	if errors.Is(err, os.ErrNotExist) && (n+1)*tileWidth <= *minIndex {
		return appendPruned(t, source, n)
	}
	if err != nil {
		return err
	}
	entries, err := splitBundle(bundle, width)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, entry := range entries {
		t.append(tlog.RecordHash(entry))
	}
	return nil
}

// appendPruned takes the leaves of a pruned bundle from its tile: the root still binds them.
func appendPruned(t *tree, source string, n int64) error {
	stored, err := fetchTile(source, 0, n, tileWidth)
	for i := 0; err == nil && i < len(stored); i += tlog.HashSize {
		var leaf tlog.Hash
		copy(leaf[:], stored[i:])
		t.append(leaf)
	}
	return err
}

func checkHead(t *tree, head checkpoint) error {
	root, err := t.root(head.size)
	if err == nil && root != head.root {
		err = fmt.Errorf("root is %s, the checkpoint says %s", root, head.root)
	}
	return err
}

// checkPin demands that the pinned tree is a prefix of this one, by proof and by derivation.
func checkPin(t *tree, head checkpoint) error {
	if *pin == "" {
		return nil
	}
	msg, err := os.ReadFile(*pin)
	if err != nil {
		return err
	}
	old, err := openCheckpoint(msg, logKeys, witnesses)
	if err != nil {
		return fmt.Errorf("pin: %w", err)
	}
	if old.origin != head.origin || old.size > head.size {
		return fmt.Errorf("rolled back: the pin has %d entries of %s, the log %d", old.size, old.origin, head.size)
	}
	root, err := t.root(old.size)
	if err != nil || root != old.root {
		return fmt.Errorf("forked: the first %d entries are not those of the pin", old.size)
	}
	if old.size == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(head.size, old.size, t)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, head.size, head.root, old.size, old.root)
}

// prove prints a tlog-proof with the entry as its extra line.
func prove(t *tree, head checkpoint, msg []byte) error {
	if *proveAt >= head.size {
		return fmt.Errorf("index %d of a log of %d", *proveAt, head.size)
	}
	n := *proveAt / tileWidth
	width := tileWidthAt(head.size, 0, n)
	bundle, err := fetchEither(flag.Arg(0), "entries", n, width)
	if err != nil {
		return err
	}
	entries, err := splitBundle(bundle, width)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveRecord(head.size, *proveAt, t)
	if err != nil {
		return err
	}
	extra := base64.StdEncoding.EncodeToString(entries[*proveAt%tileWidth])
	fmt.Printf("c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n", extra, *proveAt)
	for _, hash := range proof {
		fmt.Println(base64.StdEncoding.EncodeToString(hash[:]))
	}
	fmt.Printf("\n%s", msg)
	return nil
}

// verifyProof checks a .tlog-proof by itself, without the log.
func verifyProof() error {
	text, err := os.ReadFile(*proofFile)
	if err != nil {
		return err
	}
	parts := strings.SplitN(string(text), "\n\n", 2)
	if len(parts) != 2 {
		return errors.New("proof: no empty line before the checkpoint")
	}
	lines := strings.Split(parts[0], "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("proof: not c2sp.org/tlog-proof@v1")
	}
	lines = lines[1:]
	var entry []byte
	if strings.HasPrefix(lines[0], "extra ") {
		if entry, err = base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):]); err != nil {
			return fmt.Errorf("proof: extra: %w", err)
		}
		lines = lines[1:]
	}
	if *entryFile != "" {
		if entry, err = os.ReadFile(*entryFile); err != nil {
			return err
		}
	}
	if len(entry) == 0 || len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("proof: no entry or no index line")
	}
	index, err := parseDecimal(lines[0][len("index "):])
	if err != nil {
		return fmt.Errorf("proof: index: %w", err)
	}
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := parseHash(line)
		if err != nil {
			return fmt.Errorf("proof: %w", err)
		}
		path = append(path, hash)
	}
	head, err := trusted([]byte(parts[1]))
	if err != nil {
		return err
	}
	if index >= head.size {
		return fmt.Errorf("proof: index %d of a log of %d", index, head.size)
	}
	if err := tlog.CheckRecord(path, head.size, head.root, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("VERIFIED: entry %d of %s (%d entries)\n", index, head.origin, head.size)
	return nil
}

func fetchTile(source string, level int, n int64, width int) ([]byte, error) {
	stored, err := fetchEither(source, strconv.Itoa(level), n, width)
	if err != nil {
		return nil, err
	}
	// A full tile may stand in for a partial one; its first hashes are the partial tile.
	if len(stored) != width*tlog.HashSize && len(stored) != tileWidth*tlog.HashSize {
		return nil, fmt.Errorf("%s has %d bytes", resourcePath(strconv.Itoa(level), n, width), len(stored))
	}
	return stored[:width*tlog.HashSize], nil
}

// fetchEither reads a partial resource, or the full tile that may have replaced it. A full bundle is cut to width.
func fetchEither(source, level string, n int64, width int) ([]byte, error) {
	stored, err := fetch(source, resourcePath(level, n, width), resourceBytesMax)
	if width == tileWidth || !errors.Is(err, os.ErrNotExist) {
		return stored, err
	}
	full, fullErr := fetch(source, resourcePath(level, n, tileWidth), resourceBytesMax)
	if fullErr != nil {
		return nil, err
	}
	if level != "entries" {
		return full, nil
	}
	entries, fullErr := splitBundle(full, tileWidth)
	if fullErr != nil {
		return nil, fullErr
	}
	end := 0
	for _, entry := range entries[:width] {
		end += 2 + len(entry)
	}
	return full[:end], nil
}

var client = &http.Client{Timeout: 30 * time.Second}

func fetch(source, path string, bytesMax int64) ([]byte, error) {
	var body io.ReadCloser
	if strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://") {
		response, err := client.Get(strings.TrimSuffix(source, "/") + "/" + path)
		if err != nil {
			return nil, err
		}
		body = response.Body
		defer body.Close()
		if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone {
			return nil, fmt.Errorf("%s: %w", path, os.ErrNotExist)
		}
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, response.Status)
		}
	} else {
		file, err := os.Open(filepath.Join(source, path))
		if err != nil {
			return nil, err
		}
		body = file
		defer body.Close()
	}
	data, err := io.ReadAll(io.LimitReader(body, bytesMax+1))
	if err == nil && int64(len(data)) > bytesMax {
		err = fmt.Errorf("%s: longer than any honest one", path)
	}
	return data, err
}
