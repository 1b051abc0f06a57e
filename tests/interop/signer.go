package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// signer is a test key: a log's (algEd25519) or a witness's (algCosignature). It is a note.Signer.
type signer struct {
	vkey
	seed []byte
	unix uint64 // the time that a cosignature claims
}

func newSigner(name string, alg byte) signer {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		panic(err)
	}
	return signerFromSeed(name, alg, seed)
}

func signerFromSeed(name string, alg byte, seed []byte) signer {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return signer{vkey: newVkey(name, alg, public), seed: seed}
}

func (s signer) Sign(text []byte) ([]byte, error) {
	key := ed25519.NewKeyFromSeed(s.seed)
	if s.alg == algEd25519 {
		return ed25519.Sign(key, text), nil
	}
	sig := make([]byte, 8)
	binary.BigEndian.PutUint64(sig, s.unix)
	return append(sig, ed25519.Sign(key, cosigned(text, s.unix))...), nil
}

// signed makes the log's signed checkpoint.
func (s signer) signed(c checkpoint) []byte {
	msg, err := note.Sign(&note.Note{Text: c.text()}, s)
	if err != nil {
		panic(err)
	}
	return msg
}

// save and loadSigner keep a test key as one line: name, algorithm, base64 seed.
func (s signer) save(path string) error {
	line := fmt.Sprintf("%s %d %s\n", s.name, s.alg, base64.StdEncoding.EncodeToString(s.seed))
	return os.WriteFile(path, []byte(line), 0o600)
}

func loadSigner(path string) (signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return signer{}, err
	}
	var name, seed string
	var alg byte
	if _, err := fmt.Sscanf(strings.TrimSpace(string(text)), "%s %d %s", &name, &alg, &seed); err != nil {
		return signer{}, fmt.Errorf("%s: %w", path, err)
	}
	blob, err := base64.StdEncoding.DecodeString(seed)
	if err != nil || len(blob) != ed25519.SeedSize {
		return signer{}, fmt.Errorf("%s: not a seed", path)
	}
	return signerFromSeed(name, alg, blob), nil
}
