// How fast Tessera's POSIX storage takes entries of 200 bytes on this disk: many writers, each waiting until its entry
// has an index that a power cut does not take back, as `hygie ledger bench` does. In process: no HTTP, no antispam.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"slices"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const entryBytes = 200

var (
	dir     = flag.String("dir", "", "an empty directory on the disk to measure")
	seconds = flag.Int("seconds", 4, "how long to append")
	writers = flag.Int("writers", 512, "how many append at once")
	batch   = flag.Uint("batch", 256, "entries that Tessera gathers at most")
	age     = flag.Duration("age", 10*time.Millisecond, "how long it gathers at most")
)

func signer() note.Signer {
	secret, _, err := note.GenerateKey(rand.Reader, "tessera.example/bench")
	if err != nil {
		log.Fatal(err)
	}
	made, err := note.NewSigner(secret)
	if err != nil {
		log.Fatal(err)
	}
	return made
}

// appendUntil adds entries one after the other and returns how long each waited.
func appendUntil(ctx context.Context, to *tessera.Appender, end time.Time) []time.Duration {
	var waits []time.Duration
	for time.Now().Before(end) {
		entry := make([]byte, entryBytes)
		if _, err := rand.Read(entry); err != nil {
			log.Fatal(err)
		}
		began := time.Now()
		if _, err := to.Add(ctx, tessera.NewEntry(entry))(); err != nil {
			log.Fatal(err)
		}
		waits = append(waits, time.Since(began))
	}
	return waits
}

func main() {
	flag.Parse()
	ctx := context.Background()
	driver, err := posix.New(ctx, posix.Config{Path: *dir})
	if err != nil {
		log.Fatal(err)
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer()).
		WithCheckpointInterval(time.Second).
		WithBatching(*batch, *age).
		WithPushback(uint(*writers) * 4)
	to, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		log.Fatal(err)
	}

	var mine sync.Mutex
	var all []time.Duration
	var everybody sync.WaitGroup
	began := time.Now()
	end := began.Add(time.Duration(*seconds) * time.Second)
	for range *writers {
		everybody.Go(func() {
			waits := appendUntil(ctx, to, end)
			mine.Lock()
			defer mine.Unlock()
			all = append(all, waits...)
		})
	}
	everybody.Wait()
	took := time.Since(began).Seconds()
	slices.Sort(all)
	fmt.Printf("Tessera POSIX  %d writers, batch %d, %s: %.0f appends/s, p50 %s, p99 %s\n", *writers, *batch, *age,
		float64(len(all))/took, all[len(all)/2], all[len(all)*99/100])
	if err := shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}
