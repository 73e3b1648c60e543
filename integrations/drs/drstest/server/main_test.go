package main

import (
	"bufio"
	"context"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rentbook/commands"
	"rentbook/integrations/drs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-zone", "UTC", "-places", "2"}, in)
		_ = in.CloseWithError(err)
		ended <- err
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("it said nothing: %v", lines.Err())
	}
	c, err := drs.New(drs.Options{URL: lines.Text(), Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	tomorrow := time.Now().AddDate(0, 0, 1)
	found, err := c.Slots(ctx, commands.SlotsWanted{
		Repair: "R1", Contractor: "anybody", From: tomorrow, To: tomorrow.AddDate(0, 0, 7), Most: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 10 {
		t.Errorf("a week has %d windows, want two on each of five days: %v", len(found), found)
	}
	for _, slot := range found {
		if day := slot.From.Weekday(); day == time.Saturday || day == time.Sunday || slot.Free != 2 {
			t.Errorf("got %v on %v", slot, day)
		}
	}

	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRun_Refuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-zone", "Atlantis"}, {"-port", "-1"}, {"-unknown"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}
