package projections
import ("testing";"os";"time";"rentbook/eventstore/sqlite";"rentbook/eventstore";"golang.org/x/sys/unix")
func TestZZ(t *testing.T) {
	dir := os.Getenv("ZZ")
	if dir == "" { t.Skip() }
	s := &scene{TB: t, dir: dir, keys: &keys{}, streak: map[eventstore.Stream]eventstore.Version{}}
	s.codec = newCodec(s.keys)
	log, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	s.must(err)
	s.log = log
	h, _ := log.Head(t.Context())
	if h.Commit == 0 { portfolio(s, 10_000, 20); s.must(log.Close()); return }
	v, err := Open(t.Context(), Config{Dir: dir, Log: log, Codec: s.codec, LogID: "log"})
	s.must(err)
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	t.Log("before", u.Maxrss/1024)
	c, w := cpu(), time.Now()
	for range v.batches(t.Context(), 0, int64(h.Commit), catchUpEvents) {}
	t.Log("raw", cpu()-c, time.Since(w))
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	t.Log("after raw", u.Maxrss/1024)
	c, w = cpu(), time.Now()
	s.must(v.Rebuild(t.Context(), nil))
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	t.Log("rebuild", h, cpu()-c, time.Since(w), "maxrss MiB", u.Maxrss/1024)
	c, w = cpu(), time.Now()
	r, err := v.Verify(t.Context(), nil)
	t.Log(r, err, cpu()-c, time.Since(w))
	s.must(v.Close()); s.must(log.Close())
}
