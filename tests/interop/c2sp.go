// The C2SP formats that the programs here share: note keys, cosignatures, checkpoints, tile paths, entry bundles.
// Written from the specifications alone (c2sp.org), on top of golang.org/x/mod/sumdb; nothing of Hygie is in it.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	algEd25519     = 1 // signed-note: the log's own signature
	algCosignature = 4 // tlog-cosignature: a witness's, with a time
	tileWidth      = 256
)

// vkey is a verifier key of the signed-note specification: name+hash+base64(algorithm ‖ key).
type vkey struct {
	name string
	hash uint32
	alg  byte
	key  ed25519.PublicKey
}

func keyHash(name string, alg byte, key []byte) uint32 {
	sum := sha256.Sum256(append(append([]byte(name), '\n', alg), key...))
	return binary.BigEndian.Uint32(sum[:])
}

func newVkey(name string, alg byte, key ed25519.PublicKey) vkey {
	return vkey{name, keyHash(name, alg, key), alg, key}
}

func (v vkey) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash,
		base64.StdEncoding.EncodeToString(append([]byte{v.alg}, v.key...)))
}

func parseVkey(text string) (vkey, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || parts[0] == "" {
		return vkey{}, fmt.Errorf("not a verifier key: %q", text)
	}
	hash, err := hex.DecodeString(parts[1])
	blob, err2 := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || err2 != nil || len(hash) != 4 || len(blob) != 1+ed25519.PublicKeySize {
		return vkey{}, fmt.Errorf("not an Ed25519 verifier key: %q", text)
	}
	v := newVkey(parts[0], blob[0], blob[1:])
	if v.hash != binary.BigEndian.Uint32(hash) || (v.alg != algEd25519 && v.alg != algCosignature) {
		return vkey{}, fmt.Errorf("key hash or algorithm of %q is wrong", text)
	}
	return v, nil
}

// Name, KeyHash and Verify make vkey a note.Verifier.
func (v vkey) Name() string    { return v.name }
func (v vkey) KeyHash() uint32 { return v.hash }
func (v vkey) Verify(text, sig []byte) bool {
	if v.alg == algEd25519 {
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(v.key, text, sig)
	}
	return len(sig) == 8+ed25519.SignatureSize && binary.BigEndian.Uint64(sig)>>63 == 0 &&
		ed25519.Verify(v.key, cosigned(text, binary.BigEndian.Uint64(sig)), sig[8:])
}

// cosigned is what a cosignature/v1 signs.
func cosigned(text []byte, unix uint64) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", unix)), text...)
}

// cosignatureTime reads the time of a verified cosignature.
func cosignatureTime(sig note.Signature) time.Time {
	blob, _ := base64.StdEncoding.DecodeString(sig.Base64)
	return time.Unix(int64(binary.BigEndian.Uint64(blob[4:])), 0)
}

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
	sigs   []note.Signature // verified ones only
}

// parseCheckpoint checks the text of a checkpoint: three lines, one spelling each, no extension.
func parseCheckpoint(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return checkpoint{}, errors.New("checkpoint: not exactly origin, size and root")
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return checkpoint{}, fmt.Errorf("checkpoint: size: %w", err)
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return checkpoint{}, fmt.Errorf("checkpoint: root: %w", err)
	}
	return checkpoint{origin: lines[0], size: size, root: root}, nil
}

// openCheckpoint verifies the signatures of the known keys; at least one of the log must be there.
func openCheckpoint(msg []byte, logs, witnesses []vkey) (checkpoint, error) {
	var known []note.Verifier
	for _, v := range append(append([]vkey{}, logs...), witnesses...) {
		known = append(known, v)
	}
	n, err := note.Open(msg, note.VerifierList(known...))
	if err != nil {
		return checkpoint{}, err
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return checkpoint{}, err
	}
	c.sigs = n.Sigs
	for _, sig := range n.Sigs {
		for _, log := range logs {
			if sig.Name == log.name && sig.Hash == log.hash {
				return c, nil
			}
		}
	}
	return checkpoint{}, errors.New("checkpoint: not signed by the log")
}

func (c checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.origin, c.size, base64.StdEncoding.EncodeToString(c.root[:]))
}

func parseDecimal(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("not a plain decimal number: %q", s)
	}
	return n, nil
}

func parseHash(s string) (tlog.Hash, error) {
	blob, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(blob) != tlog.HashSize || strings.ContainsAny(s, "\r\n") {
		return tlog.Hash{}, fmt.Errorf("not the base64 of a hash: %q", s)
	}
	var h tlog.Hash
	copy(h[:], blob)
	return h, nil
}

// resourcePath names a tile or an entry bundle: tile/<level>/<n>[.p/<width>]; level is a number or "entries".
func resourcePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if width < tileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// splitBundle reads exactly `width` entries and refuses anything that follows them.
func splitBundle(bundle []byte, width int) ([][]byte, error) {
	var entries [][]byte
	for rest := bundle; len(entries) < width; {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("bundle ends inside entry %d of %d", len(entries), width)
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		entries = append(entries, rest[2:end])
		rest = rest[end:]
		if len(entries) == width && len(rest) > 0 {
			return nil, fmt.Errorf("%d bytes after the last entry of a bundle", len(rest))
		}
	}
	return entries, nil
}

// tree keeps every hash of a Merkle tree by level; level 0 are the leaves. It reads as a tlog.HashReader.
type tree struct{ levels [64][]tlog.Hash }

func (t *tree) size() int64 { return int64(len(t.levels[0])) }

func (t *tree) append(leaf tlog.Hash) {
	t.levels[0] = append(t.levels[0], leaf)
	for level := 0; len(t.levels[level])%2 == 0; level++ {
		last := len(t.levels[level]) - 1
		t.levels[level+1] = append(t.levels[level+1], tlog.NodeHash(t.levels[level][last-1], t.levels[level][last]))
	}
}

func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		if level >= len(t.levels) || n >= int64(len(t.levels[level])) {
			return nil, fmt.Errorf("no hash %d at level %d", n, level)
		}
		hashes[i] = t.levels[level][n]
	}
	return hashes, nil
}

func (t *tree) root(size int64) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, t)
}

// tileWidthAt says how many hashes tile n of a tile level holds in a tree of this size.
func tileWidthAt(size int64, level int, n int64) int {
	left := size>>(8*level) - n*tileWidth
	if left > tileWidth {
		left = tileWidth
	}
	return int(left)
}

// tile is what tile/<level>/<n> must hold.
func (t *tree) tile(level int, n int64, width int) []byte {
	var out bytes.Buffer
	for _, hash := range t.levels[8*level][n*tileWidth : n*tileWidth+int64(width)] {
		out.Write(hash[:])
	}
	return out.Bytes()
}

// tiles calls visit for every tile of a tree of this size, from the leaves up.
func tiles(size int64, visit func(level int, n int64, width int) error) error {
	for level := 0; size>>(8*level) > 0; level++ {
		for n := int64(0); tileWidthAt(size, level, n) > 0; n++ {
			if err := visit(level, n, tileWidthAt(size, level, n)); err != nil {
				return err
			}
		}
	}
	return nil
}
