package pgdb

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// closeMax is how long connections that are in use hold up an end. A server that hangs would do so for as long
// as its connections live.
const closeMax = 2 * time.Second

// Close closes pools; those that are nil were never opened. What is still in use then is left to whoever uses
// it, and ends with the process.
func Close(pools ...*pgxpool.Pool) {
	var all sync.WaitGroup
	for _, pool := range pools {
		if pool != nil {
			all.Go(pool.Close)
		}
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		all.Wait()
	}()
	timer := time.NewTimer(closeMax)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}
