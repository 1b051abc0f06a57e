// mklog writes C2SP logs with Go's own code, so that Hygie's verifier is tried on logs that Hygie did not write —
// honest ones, and ones rewritten by whoever stole the log's key.
//
//	mklog keygen NAME log|witness FILE     makes a key, prints its verifier key
//	mklog write -key FILE -n N DIR         writes N entries (the same for the same -seed), tiles and checkpoint
//	mklog cosign -key FILE CHECKPOINT      adds a witness's cosignature, whatever the checkpoint says
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	commands := map[string]func([]string) error{"keygen": keygen, "write": write, "cosign": cosign}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "mklog keygen|write|cosign; see the head of mklog.go")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "mklog:", err)
		os.Exit(1)
	}
}

func keygen(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("keygen NAME log|witness FILE")
	}
	alg := map[string]byte{"log": algEd25519, "witness": algCosignature}[args[1]]
	if alg == 0 {
		return fmt.Errorf("a key is for a log or a witness")
	}
	s := newSigner(args[0], alg)
	fmt.Println(s.vkey)
	return s.save(args[2])
}

func write(args []string) error {
	flags := flag.NewFlagSet("write", flag.ExitOnError)
	keyFile := flags.String("key", "", "the log's key")
	origin := flags.String("origin", "", "origin (default: the key's name)")
	n := flags.Int("n", 1000, "entries")
	seed := flags.Int64("seed", 1, "which entries")
	change := flags.Int("change", -1, "write something else at this index")
	drop := flags.Int("drop", -1, "leave this entry out")
	swap := flags.Int("swap", -1, "swap this entry with the next one")
	flags.Parse(args)
	s, err := loadSigner(*keyFile)
	if err != nil {
		return err
	}
	if *origin == "" {
		*origin = s.name
	}
	entries := honestEntries(*n, *seed)
	if *change >= 0 {
		entries[*change] = append([]byte("rewritten "), entries[*change]...)
	}
	if *swap >= 0 {
		entries[*swap], entries[*swap+1] = entries[*swap+1], entries[*swap]
	}
	if *drop >= 0 {
		entries = append(entries[:*drop], entries[*drop+1:]...)
	}
	return writeLog(flags.Arg(0), *origin, s, entries)
}

// honestEntries draws entries of 20 to 400 bytes; a longer log of the same seed extends a shorter one.
func honestEntries(n int, seed int64) [][]byte {
	random := rand.New(rand.NewSource(seed))
	entries := make([][]byte, n)
	for i := range entries {
		entries[i] = make([]byte, 20+random.Intn(381))
		random.Read(entries[i])
	}
	return entries
}

func writeLog(dir, origin string, s signer, entries [][]byte) error {
	t := new(tree)
	for _, entry := range entries {
		t.append(tlog.RecordHash(entry))
	}
	err := tiles(t.size(), func(level int, n int64, width int) error {
		if level == 0 {
			bundle := []byte{}
			for _, entry := range entries[n*tileWidth : n*tileWidth+int64(width)] {
				bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
				bundle = append(bundle, entry...)
			}
			if err := save(dir, resourcePath("entries", n, width), bundle); err != nil {
				return err
			}
		}
		return save(dir, resourcePath(strconv.Itoa(level), n, width), t.tile(level, n, width))
	})
	if err != nil {
		return err
	}
	root, err := t.root(t.size())
	if err != nil {
		return err
	}
	return save(dir, "checkpoint", s.signed(checkpoint{origin: origin, size: t.size(), root: root}))
}

func save(dir, path string, data []byte) error {
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func cosign(args []string) error {
	flags := flag.NewFlagSet("cosign", flag.ExitOnError)
	keyFile := flags.String("key", "", "the witness's key")
	ago := flags.Duration("ago", 0, "claim to have seen it that long ago")
	flags.Parse(args)
	s, err := loadSigner(*keyFile)
	if err != nil {
		return err
	}
	s.unix = uint64(time.Now().Add(-*ago).Unix())
	msg, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	// Signatures that are already there stay, verified or not.
	n, err := note.Open(msg, note.VerifierList())
	unverified, ok := err.(*note.UnverifiedNoteError)
	if !ok {
		return fmt.Errorf("%s: not a signed note: %v", flags.Arg(0), err)
	}
	n = unverified.Note
	msg, err = note.Sign(n, s)
	if err != nil {
		return err
	}
	return os.WriteFile(flags.Arg(0), msg, 0o644)
}
