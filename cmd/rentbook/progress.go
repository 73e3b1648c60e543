package main

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows a bar on a terminal, nothing elsewhere. The bar appears with the first step, so
// what is over at once shows none.
type progress struct {
	mu    sync.Mutex
	label string
	out   io.Writer
	bar   *progressbar.ProgressBar
}

func (g *globals) progress(label string) *progress {
	p := &progress{label: label}
	if file, ok := g.stderr.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.out = file
	}
	return p
}

// step says how much is done, in whatever unit.
func (p *progress) step(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.out),
			progressbar.OptionSetDescription(p.label), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100_000_000))
	}
	p.bar.ChangeMax64(max(total, 1))
	_ = p.bar.Set64(done)
}

// end takes the bar off the screen.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
